#pragma once

#include <cstdint>

// The ids of pvcam.h that the simulated cameras have beside those that the addon itself asks for: class << 16 | type << 24 | number.
namespace pvcam_sim::id {

enum : uint32_t {
  kInterfaceType = 0x0900000A,
  kReadoutPort = 0x090200F7,
  kSpeedIndex = 0x01020201,
  kPixelTime = 0x06020204,
  kGainIndex = 0x01020200,
  kGainName = 0x0D020202,
  kAdcOffset = 0x010200C3,
  kFullWell = 0x070201FA,
  kPreMask = 0x06020035,
  kPostMask = 0x06020036,
  kPreScan = 0x06020037,
  kPostScan = 0x06020038,
  kProductName = 0x0D020084,
  kTemperature = 0x0102020D,
  kTemperatureSetpoint = 0x0102020E,
  kFanSpeed = 0x090202C6,
  kShutterCloseDelay = 0x06020207,
  kShutterOpenDelay = 0x06020208,
  kShutterMode = 0x09020209,
  kShutterStatus = 0x0902020A,
  kClearMode = 0x0902020B,
  kClearCycles = 0x06020061,
  kClearingTime = 0x100200B4,
  kPostTriggerDelay = 0x100200B5,
  kPreTriggerDelay = 0x100200B6,
  kPostIndex = 0x0102021F,
  kPostName = 0x0D02021E,
  kPostFeatureId = 0x06020225,
  kPostParameterIndex = 0x01020221,
  kPostParameterName = 0x0D020222,
  kPostParameterId = 0x06020226,
  kPostParameter = 0x07020223,
  kSmartStreamEnabled = 0x0B0202BC,
  kSmartStreamMode = 0x060202BD,
  kHostRotate = 0x09020100,
  kHostFlip = 0x09020101,
  kHostSummingEnabled = 0x0B020102,
  kHostSummingCount = 0x07020103,
  kCircularBuffer = 0x0B03012B,
  kBinningSerial = 0x090300A5,
  kBinningParallel = 0x090300A6,
  kRegionCount = 0x060300A9,
  kResetTimestamp = 0x0B0300B0,
  kCentroidsEnabled = 0x0B0300AA,
  kCentroidsRadius = 0x060300AB,
  kCentroidsCount = 0x060300AC,
  kCentroidsMode = 0x090300AD,
};

}  // namespace pvcam_sim::id
