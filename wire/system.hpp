// The little that both ends ask the operating system alike, and texts as it has them.
// Any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tsplink::wire {

/// A path from UTF-8, as configuration files and this code have it. Not std::filesystem::path's own constructor from
/// text: on Windows that takes each byte for a character.
std::filesystem::path path_of(std::string_view utf8);

/// UTF-8 of a structure's text; half a surrogate pair becomes U+FFFD.
std::string utf8_of(std::u16string_view text);

/// This machine's name without its domain, in UTF-8.
std::string machine_name();

}  // namespace tsplink::wire
