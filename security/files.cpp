#include "security/files.hpp"

#include <openssl/crypto.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "security/errors.hpp"

namespace tsplink::security {
namespace {
constexpr std::size_t kMaxFile = 4U << 20U;
}

FileText::~FileText() { OPENSSL_cleanse(text_.data(), text_.size()); }

FileText read_file(const std::filesystem::path& path, const char* role) {
  const std::string file = std::string(role) + " " + path.string();
  if (path.empty()) throw Error(std::string("no ") + role + " is configured: name one");
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw Error(file + " does not exist: correct the path or put the file there");
  }
  if (error) throw Error(file + " cannot be reached: " + error.message());
  if (std::filesystem::is_directory(status)) throw Error(file + " is a folder: name a file in it");
  errno = 0;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    const std::string reason = errno != 0 ? std::strerror(errno) : "unknown reason";
    throw Error(file + " cannot be read (" + reason + "): let this program's account read it");
  }
  // Sized beforehand, so that growing leaves no copy of a key behind.
  const auto size = std::filesystem::file_size(path, error);
  if (!error && size > kMaxFile) throw Error(file + " is larger than 4 MiB: it is not what it should be");
  std::string text(error ? kMaxFile : static_cast<std::size_t>(size), '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.empty()) throw Error(file + " is empty: put PEM text into it");
  return FileText(std::move(text));
}

void require_private([[maybe_unused]] const std::filesystem::path& path) {
#ifndef _WIN32
  using std::filesystem::perms;
  std::error_code error;
  const perms granted = std::filesystem::status(path, error).permissions();
  if (!error && (granted & (perms::group_all | perms::others_all)) != perms::none) {
    throw Error("key file " + path.string() + " can be read by others than its owner: run chmod 600 " +
                path.string());
  }
#endif
}

}  // namespace tsplink::security
