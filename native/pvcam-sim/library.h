#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "camera.h"
#include "options.h"

namespace pvcam_sim {

// What pl_pvcam_init makes and pl_pvcam_uninit ends: the cameras, and a thread that sees them being pulled out.
class Library {
 public:
  explicit Library(const Options& options);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  const Options& options() const { return options_; }
  std::vector<std::unique_ptr<Camera>>& cameras() { return cameras_; }

 private:
  void watch();

  const Options options_;
  std::vector<std::unique_ptr<Camera>> cameras_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ending_ = false;
  std::thread watcher_;
};

std::string nameOf(int number);
// It is pulled out: of the whole library (simulated::unplugged), or alone.
bool gone(int number);

// Sets what pl_error_code will tell this thread, and fails.
rs_bool fail(int16_t code);
rs_bool result(int16_t code);
const char* textOf(int16_t code);

}  // namespace pvcam_sim
