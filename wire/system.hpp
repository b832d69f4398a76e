// The little that both ends ask the operating system alike.
// Any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace tsplink::wire {

/// A path from UTF-8, as configuration files and this code have it. Not std::filesystem::path's own constructor from
/// text: on Windows that takes each byte for a character.
std::filesystem::path path_of(std::string_view utf8);

/// This machine's name without its domain, in UTF-8.
std::string machine_name();

}  // namespace tsplink::wire
