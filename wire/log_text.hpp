// Texts for logs, the same on desktop and host: what peers and vendors named becomes harmless to a terminal and to
// whoever reads the log by line, and a request is found on both sides by the same letters.
// Owner: nobody, pure functions. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tsplink::wire {

/// `text` as UTF-8 that moves no cursor, ends no line and turns no direction: control characters (those of 0x80 to
/// 0x9F too), separators of lines and characters that are not seen become "\u{9b}", bytes that are no UTF-8 "\x{ff}".
std::string printable(std::string_view text);

/// `text` as a JSON string in its quotes. The characters above are escaped, so that they are there after reading;
/// bytes that are no UTF-8 become U+FFFD.
std::string json_text(std::string_view text);

/// A request's trace id: always sixteen hexadecimal digits.
std::string trace_id(std::uint64_t trace);
/// " trace=0123456789abcdef", for the end of a line.
std::string trace_field(std::uint64_t trace);

}  // namespace tsplink::wire
