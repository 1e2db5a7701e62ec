#include "faults.h"

#include <dlfcn.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <string>
#include <thread>

namespace simulated {
namespace {

namespace fs = std::filesystem;

constexpr auto kSilence = std::chrono::milliseconds(300);  // the real library waits longer; who tests need not
constexpr int kLongestLateMs = 60'000;

std::mutex taking;

// The word of the first fault that waits, taken away; empty: none.
std::string take() {
  const std::lock_guard guard(taking);
  std::error_code ignored;
  fs::path first;
  for (fs::directory_iterator each(libraryPath() + ".faults", ignored), end; each != end; each.increment(ignored))
    if (first.empty() || each->path() < first) first = each->path();
  if (first.empty()) return {};
  std::ifstream file(first);
  std::string line;
  std::getline(file, line);
  fs::remove(first, ignored);
  return line;
}

}  // namespace

const std::string& libraryPath() {
  static const std::string path = [] {
    Dl_info info;
    return dladdr(reinterpret_cast<void*>(&unplugged), &info) != 0 && info.dli_fname != nullptr ? std::string(info.dli_fname) : std::string();
  }();
  return path;
}

bool unplugged() {
  std::error_code ignored;
  return fs::exists(libraryPath() + ".unplugged", ignored);
}

std::string removed() {
  std::ifstream file(libraryPath() + ".removed");
  std::string name;
  std::getline(file, name);
  return name;
}

bool pulsed() {
  std::error_code ignored;
  return fs::remove(libraryPath() + ".pulse", ignored);
}

Suffered suffer() {
  const std::string fault = take();
  if (fault.empty()) return {};
  if (fault == "garbage") return {.garbage = true};
  if (fault.rfind("late ", 0) == 0) {
    const int milliseconds = std::atoi(fault.c_str() + 5);
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds < 0 ? 0 : milliseconds > kLongestLateMs ? kLongestLateMs : milliseconds));
    return {};
  }
  if (fault.rfind("error ", 0) == 0) return {.code = std::atoi(fault.c_str() + 6)};
  if (fault == "silent") std::this_thread::sleep_for(kSilence);
  return {.unanswered = true};
}

}  // namespace simulated
