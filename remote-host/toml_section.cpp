#include "remote-host/toml_section.hpp"

#include <fstream>

namespace tsplink::host {

toml::table read_toml(const std::filesystem::path& file, const std::string& what, const std::string& advice) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) {
    const bool other = std::filesystem::exists(file, ignored);
    throw Failure(Kind::Configuration, other ? file.string() + " is no ordinary file; " + advice + "."
                                             : "There is no " + what + " " + file.string() + "; " + advice + ".");
  }
  try {
    std::ifstream stream(file, std::ios::binary);  // by path: a name in UTF-16 on Windows
    return toml::parse(stream, file.string());
  } catch (const toml::parse_error& failure) {
    const auto begin = failure.source().begin;
    throw Failure(Kind::Configuration, file.string() + ":" + std::to_string(begin.line) + ":" +
                                           std::to_string(begin.column) + ": " + std::string(failure.description()) +
                                           ".");
  }
}

}  // namespace tsplink::host
