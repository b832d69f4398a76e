#include "security/errors.hpp"

#include <openssl/err.h>

namespace tsplink::security {

ErrorQueue ErrorQueue::drain() {
  ErrorQueue queue;
  const char* data = nullptr;
  int flags = 0;
  while (const unsigned long code = ERR_get_error_all(nullptr, nullptr, nullptr, &data, &flags)) {
    queue.codes.push_back(code);
    const char* reason = ERR_reason_error_string(code);
    if (!queue.text.empty()) queue.text += "; ";
    queue.text += reason != nullptr ? reason : "error " + std::to_string(code);
    if (data != nullptr && *data != '\0' && (flags & ERR_TXT_STRING) != 0) queue.text += std::string(": ") + data;
  }
  return queue;
}

bool ErrorQueue::has(int library, int reason) const {
  for (const unsigned long code : codes) {
    if (ERR_GET_LIB(code) == library && ERR_GET_REASON(code) == reason) return true;
  }
  return false;
}

std::string ErrorQueue::suffix() const { return text.empty() ? std::string() : " (OpenSSL: " + text + ")"; }

}  // namespace tsplink::security
