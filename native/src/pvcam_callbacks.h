#pragma once

#include <cstdint>
#include <memory>

#include "pvcam_camera.h"

namespace kymograph {

// Finds whom an end-of-frame callback is for. PVCAM's context pointer has been seen to be unreliable, so it is never followed: it carries a number,
// and a callback counts only if the camera handle in its frame info fits. Several cameras, and several libraries, may run at once.
uint64_t registerEndOfFrame(int16_t camera, std::weak_ptr<EndOfFrame> receiver);
void forgetEndOfFrame(uint64_t token);
// What is handed to pl_cam_register_callback_ex3.
void onEndOfFrame(FRAME_INFO* info, void* context);

}  // namespace kymograph
