// Text helpers of the stand-in: UTF-16, hexadecimal, numbers, words and hashes.
// Owner: nobody, plain functions without state. Any thread may call them.
#pragma once

#include <tspi.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tsplink::tapisim {

using Bytes = std::vector<BYTE>;

std::string to_utf8(const char16_t* text, std::size_t units);
std::string to_utf8(const char16_t* text);  // NUL-terminated; null gives ""
std::u16string to_utf16(std::string_view text);

std::string hex(const void* data, std::size_t size);
std::string guid_text(const BYTE* guid);  // {01234567-89ab-...}; 16 bytes as they lie in memory
std::string hex_number(std::uint64_t value);
std::optional<Bytes> from_hex(std::string_view digits);
std::optional<std::uint64_t> to_number(std::string_view text);  // decimal or 0x; a minus sign gives a 32-bit code

std::uint64_t fnv1a(const void* data, std::size_t size);
/// Short blocks in full, long ones as "65536 bytes, fnv1a 0123456789abcdef".
std::string block(const void* data, std::size_t size, std::size_t in_full = 64);

/// Words separated by blanks; "..." keeps blanks inside and stays quoted in the result.
std::vector<std::string> words(std::string_view line);
std::vector<std::string> split(std::string_view text, char separator);
std::string in_quotes(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
bool starts_with(std::string_view text, std::string_view start);

/// size bytes that anybody can make again from the seed (xorshift).
Bytes pattern(std::size_t size, std::uint32_t seed);

}  // namespace tsplink::tapisim
