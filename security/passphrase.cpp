#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>

#include "security/authority.hpp"
#include "security/errors.hpp"
#include "security/files.hpp"

namespace tsplink::security {
namespace {
constexpr int kMaxPassphrase = 1000;  // OpenSSL asks for 1024 at most when it reads a key
}

std::string ask_passphrase(const std::string& what, bool is_new) {
  std::array<char, kMaxPassphrase + 1> typed{};
  const std::string prompt = (is_new ? "New passphrase of " : "Passphrase of ") + what + ": ";
  const int failed = EVP_read_pw_string_min(typed.data(), 1, kMaxPassphrase, prompt.c_str(), is_new ? 1 : 0);
  std::string result(failed == 0 ? typed.data() : "");
  OPENSSL_cleanse(typed.data(), typed.size());
  if (result.empty()) {
    throw Error("no passphrase of " + what + " was given" + ErrorQueue::drain().suffix() +
                ": type one, or name a file that has it");
  }
  return result;
}

std::string read_passphrase(const std::filesystem::path& file) {
  const FileText text = read_file_or_pipe(file, "passphrase file");
  require_private(file, "passphrase file");
  std::string line = text.text().substr(0, text.text().find_first_of("\r\n"));
  if (line.empty() || line.size() > kMaxPassphrase) {
    throw Error("passphrase file " + file.string() + " must have a passphrase of 1 to " +
                std::to_string(kMaxPassphrase) + " bytes in its first line");
  }
  return line;
}

}  // namespace tsplink::security
