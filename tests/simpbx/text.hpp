// UTF-8 (log, control, configuration) to UTF-16 (TSPI) and back, and numbers as text.
// Threads: any; nothing is kept.
#pragma once

#include <tspi.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace tsplink::simpbx {

/// TSPI's characters as C++ has them on every platform (WCHAR is wchar_t on Windows, char16_t here).
using Text = std::basic_string<WCHAR>;

/// Invalid input becomes U+FFFD.
Text wide(std::string_view utf8);
std::string narrow(std::basic_string_view<WCHAR> text);
/// Null pointers give "".
Text copy_text(LPCWSTR text);

std::string hex(std::uint64_t value);
std::string hex_bytes(const BYTE* bytes, std::size_t size);
std::uint64_t fnv1a(const BYTE* bytes, std::size_t size);

}  // namespace tsplink::simpbx
