#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

// What must hold while a sanitizer looks on. A program of this folder is given a folder of its own, and after it what else it needs.
#define CHECK(holds)                                                                \
  do {                                                                              \
    if (!(holds)) {                                                                 \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #holds); \
      std::_Exit(1);                                                                \
    }                                                                               \
  } while (false)

// The exception that `work` ends with is of this type.
#define CHECK_THROWS(type, work)                                                        \
  do {                                                                                  \
    bool thrown = false;                                                                \
    try {                                                                               \
      work;                                                                             \
    } catch (const type&) {                                                             \
      thrown = true;                                                                    \
    }                                                                                   \
    if (!thrown) {                                                                      \
      std::fprintf(stderr, "%s:%d: throws no %s: %s\n", __FILE__, __LINE__, #type, #work); \
      std::_Exit(1);                                                                    \
    }                                                                                   \
  } while (false)

inline std::string argument(int count, char** values, int index) {
  if (index >= count) {
    std::fprintf(stderr, "argument %d is missing\n", index);
    std::_Exit(2);
  }
  return values[index];
}

inline std::string fileIn(const std::string& folder, const std::string& name) { return (std::filesystem::path(folder) / name).string(); }
