// The host's log in a file of a test's own, for as long as the object is there.
// Owner: one test at a time. One thread.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <vector>

#include "remote-host/log.hpp"
#include "tests/platform/files.hpp"

namespace tsplink::host::test {

constexpr std::chrono::seconds kBound{20};

inline std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

class LogFile {
 public:
  explicit LogFile(log::Level level, const std::function<void(log::Settings&)>& change = {}) {
    log::Settings settings;
    settings.level = level;
    settings.log.to = log::To::File;
    settings.log.file = path();
    if (change) change(settings);
    log::set_up(settings);
  }
  ~LogFile() {
    log::Settings settings;
    settings.level = log::Level::Warn;
    log::set_up(settings);
  }
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  std::filesystem::path path() const { return folder_.path() / "host.log"; }
  /// Everything said so far.
  std::vector<std::string> lines() const {
    EXPECT_TRUE(log::flush(kBound));
    std::istringstream text(text_of(path()));
    std::vector<std::string> all;
    for (std::string line; std::getline(text, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();  // Windows' ends of lines
      all.push_back(line);
    }
    return all;
  }

 private:
  const tests::TemporaryFolder folder_;
};

}  // namespace tsplink::host::test
