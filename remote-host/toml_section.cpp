#include "remote-host/toml_section.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace tsplink::host {

toml::table read_toml(const std::filesystem::path& file, const std::string& what, const std::string& advice) {
  return parse_toml(read_text(file, what, advice), file);
}

std::string read_text(const std::filesystem::path& file, const std::string& what, const std::string& advice) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(file, ignored)) {
    const bool other = std::filesystem::exists(file, ignored);
    throw Failure(Kind::Configuration, other ? file.string() + " is no ordinary file; " + advice + "."
                                             : "There is no " + what + " " + file.string() + "; " + advice + ".");
  }
  errno = 0;
  std::ifstream stream(file, std::ios::binary);  // by path: a name in UTF-16 on Windows
  if (!stream) {
    const std::string reason = errno != 0 ? std::strerror(errno) : "unknown reason";
    throw Failure(Kind::Configuration, "The " + what + " " + file.string() + " cannot be read (" + reason +
                                           "); let this account read it.");
  }
  return {std::istreambuf_iterator<char>(stream), {}};
}

toml::table parse_toml(const std::string& text, const std::filesystem::path& file) {
  try {
    return toml::parse(text, file.string());
  } catch (const toml::parse_error& failure) {
    const auto begin = failure.source().begin;
    throw Failure(Kind::Configuration, file.string() + ":" + std::to_string(begin.line) + ":" +
                                           std::to_string(begin.column) + ": " + std::string(failure.description()) +
                                           ".");
  }
}

}  // namespace tsplink::host
