// The log's lines, where they go, and what happens when they cannot.
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "log_file.hpp"
#ifndef _WIN32
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <thread>

#include "remote-host/journal.hpp"
#endif
#include "wire/failure.hpp"

namespace tsplink::host::test {
namespace {

using log::Format;
using log::Level;

/// Reads one JSON object of texts by the letter of RFC 8259; throws at anything else.
class StrictJson {
 public:
  explicit StrictJson(const std::string& text) : text_(text) {}
  std::map<std::string, std::string> object() {
    std::map<std::string, std::string> members;
    take('{');
    for (bool more = true; more;) {
      const auto name = string();
      take(':');
      if (!members.emplace(name, string()).second) throw std::runtime_error("two members " + name);
      more = at_ < text_.size() && text_[at_] == ',';
      take(more ? ',' : '}');
    }
    if (at_ != text_.size()) throw std::runtime_error("more behind the object");
    return members;
  }

 private:
  char next() {
    if (at_ == text_.size()) throw std::runtime_error("it ends early");
    return text_[at_++];
  }
  void take(char wanted) {
    if (next() != wanted) throw std::runtime_error(std::string("no ") + wanted + " at " + std::to_string(at_));
  }
  unsigned four() {
    unsigned value = 0;
    for (int i = 0; i < 4; ++i) {
      const auto digit = std::string("0123456789abcdef").find(next());
      if (digit == std::string::npos) throw std::runtime_error("no hexadecimal digit");
      value = value * 16 + static_cast<unsigned>(digit);
    }
    return value;
  }
  std::string string() {
    std::string raw;
    take('"');
    for (char letter = next(); letter != '"'; letter = next()) {
      if (static_cast<unsigned char>(letter) < 0x20) throw std::runtime_error("a control character");
      if (letter != '\\') {
        raw += letter;
        continue;
      }
      const char kind = next();
      if (kind == 'u') {
        char32_t point = four();
        if (point >= 0xD800 && point < 0xDC00) {
          take('\\');
          take('u');
          const auto low = four();
          if (low < 0xDC00 || low > 0xDFFF) throw std::runtime_error("half a pair");
          point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
        }
        append(raw, point);
      } else if (kind == '"' || kind == '\\' || kind == '/') {
        raw += kind;
      } else {
        throw std::runtime_error("an escape that there is not");
      }
    }
    return raw;
  }
  static void append(std::string& out, char32_t point) {
    const auto byte = [&](char32_t value) { out += static_cast<char>(value); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) {
      byte(0xC0 | (point >> 6U));
    } else if (point < 0x10000) {
      byte(0xE0 | (point >> 12U));
      byte(0x80 | ((point >> 6U) & 0x3F));
    } else {
      byte(0xF0 | (point >> 18U));
      byte(0x80 | ((point >> 12U) & 0x3F));
      byte(0x80 | ((point >> 6U) & 0x3F));
    }
    byte(0x80 | (point & 0x3F));
  }

  const std::string text_;
  std::size_t at_ = 0;
};

/// 2026-11-22 12:34:56.789 UTC
log::Line line(std::string text, log::Fields fields = {}) {
  using std::chrono::milliseconds;
  return {std::chrono::system_clock::time_point(milliseconds(1795350896789)), Level::Warn, std::move(text),
          std::move(fields)};
}

const struct {
  std::string name, in_text, in_json;  // in_json empty: as it is
} kHostile[] = {
    {"desk1", "desk1", ""},
    {"Übung \xE4\xB8\xAD \xF0\x9F\x93\x9E", "Übung \xE4\xB8\xAD \xF0\x9F\x93\x9E", ""},
    {"a\r\nb\tc", "a\\u{d}\\u{a}b\\u{9}c", ""},
    {std::string("nul\0x", 5), "nul\\u{0}x", ""},
    {"\x1B[2Jgone\x7F", "\\u{1b}[2Jgone\\u{7f}", ""},
    {"c1 \xC2\x9B"
     "31m",
     "c1 \\u{9b}31m", ""},
    {"\xE2\x80\xAEtxt.exe\xE2\x80\x8F", "\\u{202e}txt.exe\\u{200f}", ""},
    {"two\xE2\x80\xA8lines", "two\\u{2028}lines", ""},
    {"\xEF\xBB\xBFmark", "\\u{feff}mark", ""},
    {"tag \xF3\xA0\x80\xA1", "tag \\u{e0021}", ""},
    {"lone \x9B[m", "lone \\x{9b}[m", "lone \xEF\xBF\xBD[m"},
    {"cut \xE2\x80", "cut \\x{e2}\\x{80}", "cut \xEF\xBF\xBD\xEF\xBF\xBD"},
    {"overlong \xC0\x8A", "overlong \\x{c0}\\x{8a}", "overlong \xEF\xBF\xBD\xEF\xBF\xBD"},
    {"half \xED\xA0\x80", "half \\x{ed}\\x{a0}\\x{80}", "half \xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
    {"C:\\x \"quoted\"", "C:\\x \"quoted\"", ""},
};

TEST(LogLine, HostileNamesAreHarmless) {
  for (const auto& [name, in_text, in_json] : kHostile) {
    SCOPED_TRACE(in_text);
    EXPECT_EQ(formatted(line(name), Format::Text, false), in_text);
    const auto json = formatted(line(name, {{"machine", name}}), Format::Json, false);
    for (const char each : json) EXPECT_TRUE(static_cast<unsigned char>(each) >= 0x20 && each != 0x7F);
    const auto members = StrictJson(json).object();
    EXPECT_EQ(members.at("message"), in_json.empty() ? name : in_json);
    EXPECT_EQ(members.at("machine"), in_json.empty() ? name : in_json);
  }
}

TEST(LogLine, HasTimeLevelAndFields) {
  EXPECT_EQ(formatted(line("It is so.", {{"trace", "00000000000000ab"}, {"name", "two words"}}), Format::Text, false),
            "It is so. trace=00000000000000ab name=\"two words\"");
  EXPECT_EQ(formatted(line("It is so.", {log::trace(0xAB)}), Format::Json, false),
            R"({"time":"2026-11-22T12:34:56.789Z","level":"warn","message":"It is so.","trace":"00000000000000ab"})");
  EXPECT_EQ(formatted(line("It is so.", {log::trace(0)}), Format::Text, false), "It is so.");
}

TEST(LogLine, NoNameBecomesAFieldOfItsOwn) {
  const log::Fields fields{{"machine", "x\" result=0 y=\"\\"}, {"line", ""}};
  EXPECT_EQ(formatted(line("audit", fields), Format::Text, false),
            "audit machine=\"x\\\" result=0 y=\\\"\\\\\" line=\"\"");
  EXPECT_EQ(formatted(line("audit", {{"machine", "a\nb\\u{a}"}}), Format::Text, false),
            R"(audit machine="a\u{a}b\\u{a}")")
      << "what is shown for a letter is none that was there";
}

TEST(LogLine, NoNamePassesForAnAuditLine) {
  EXPECT_EQ(log::shown("desk-1"), "desk-1");
  EXPECT_EQ(log::shown("x audit function=lineDrop certificate=\"CN=boss\""),
            R"("x audit function=lineDrop certificate=\"CN=boss\"")");
}

TEST(LogLine, IsBounded) {
  const std::string name(3 * log::kMostText, 'x');
  EXPECT_LT(formatted(line("long", {{"machine", name}}), Format::Text, false).size(), log::kMostText + 100);
  const std::string umlauts = "x" + [] {
    std::string many;
    for (std::size_t i = 0; i < log::kMostText; ++i) many += "ü";
    return many;
  }();
  EXPECT_EQ(formatted(line(umlauts), Format::Text, false).find("\\x"), std::string::npos) << "half a character";
}

TEST(LogLine, NumbersAreMaskedWhereThatIsAsked) {
  const struct {
    const char *number, *masked;
  } numbers[] = {{"", ""},
                 {"1", "*"},
                 {"110", "***"},
                 {"1234", "**34"},
                 {"+4930123456", "*********56"},
                 {"sip:anna@example.org", "******************rg"},
                 {"12üé", "**üé"}};
  for (const auto& [number, masked] : numbers) EXPECT_EQ(log::masked(number), masked);
  const auto audit = line("audit", {{"line", "Extension 100"}, {"to", "+4930123456", true}});
  EXPECT_EQ(formatted(audit, Format::Text, true), "audit line=\"Extension 100\" to=*********56");
  EXPECT_EQ(formatted(audit, Format::Text, false), "audit line=\"Extension 100\" to=+4930123456");
  EXPECT_EQ(formatted(audit, Format::Json, true).find("4930"), std::string::npos);
}

TEST(Log, WritesToAFileByLevel) {
  const LogFile file(Level::Info);
  log::debug("not this");
  log::info("this one");
  log::set_level(Level::Debug);
  EXPECT_EQ(log::level(), Level::Debug);
  log::debug("this too", {log::trace(1)});
  log::set_level(Level::Error);
  log::warn("nor this");
  log::audit({{"function", "lineDrop"}});  // whatever the level is
  const auto lines = file.lines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_NE(lines[0].find(" info this one"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find(" debug this too trace=0000000000000001"), std::string::npos) << lines[1];
  EXPECT_NE(lines[2].find(" info audit function=lineDrop"), std::string::npos) << lines[2];
}

TEST(Log, WritesJsonLines) {
  const LogFile file(Level::Info, [](log::Settings& settings) { settings.log.format = Format::Json; });
  log::info("one\ntwo");
  const auto lines = file.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(StrictJson(lines[0]).object().at("message"), "one\ntwo");
}

TEST(Log, AuditHasAnOutputOfItsOwn) {
  const tests::TemporaryFolder folder;
  const auto audit = folder.path() / "audit.log";
  const LogFile file(Level::Info, [&](log::Settings& settings) {
    settings.audit.emplace().to = log::To::File;
    settings.audit->file = audit;
    settings.audit->mask_numbers = true;
  });
  log::info("of the host");
  log::audit({{"to", "+4930123456", true}});
  EXPECT_EQ(file.lines().size(), 1U);
  EXPECT_NE(text_of(audit).find(" info audit to=*********56"), std::string::npos) << text_of(audit);
}

TEST(Log, RotatesItsFile) {
  const LogFile file(Level::Info, [](log::Settings& settings) {
    settings.log.rotate_bytes = 1000;
    settings.log.rotate_files = 2;
  });
  for (int i = 0; i < 100; ++i) log::info("line " + std::to_string(i));
  const auto lines = file.lines();
  EXPECT_NE(lines.back().find("line 99"), std::string::npos);
  std::size_t files = 0;
  for (const auto& each : std::filesystem::directory_iterator(file.path().parent_path())) {
    EXPECT_LE(each.file_size(), 1000U) << each.path();
    ++files;
  }
  EXPECT_EQ(files, 3U);
  EXPECT_NE(text_of(file.path().parent_path() / "host.1.log").find("line "), std::string::npos);
}

TEST(Log, AFileThatCannotBeIsRefusedAndTheLogGoesOn) {
  const LogFile file(Level::Info);
  log::Settings settings;
  settings.log.to = log::To::File;
  settings.log.file = file.path().parent_path();  // a folder
  try {
    log::set_up(settings);
    ADD_FAILURE() << "accepted";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.kind(), Kind::Configuration);
    EXPECT_NE(std::string(failure.what()).find("choose another log.file."), std::string::npos) << failure.what();
  }
  log::info("as before");
  EXPECT_EQ(file.lines().size(), 1U);
}

/// Of one that tells also: before the log is set up, when it cannot be, and when it is.
std::vector<std::string> lines_told() {
  std::vector<std::string> told;
  log::tell_also([&](Level level, const std::string& line) {
    told.push_back((level == Level::Error ? "error " : "warning ") + line);
  });
  log::error("\u00dcbung");
  log::info("not this");
  const tests::TemporaryFolder folder;
  log::Settings settings;
  settings.log.to = log::To::File;
  settings.log.file = folder.path();
  EXPECT_THROW(log::set_up(settings), Failure);
  log::error("refused");
  const LogFile file(Level::Info);
  log::info("nor this");
  log::warn("later", {{"line", "Extension 100"}});
  EXPECT_EQ(file.lines().size(), 2U);
  return told;
}

/// As a service has it, whose standard error nobody sees. In a process of its own, whose log was never set up.
TEST(LogDeathTest, IsToldElsewhereFromTheFirstLine) {
  testing::GTEST_FLAG(death_test_style) = "threadsafe";
  const std::vector<std::string> wanted{"error \u00dcbung", "error refused", "warning later line=\"Extension 100\""};
  EXPECT_EXIT(std::_Exit(lines_told() == wanted && !HasFailure() ? 0 : 1), testing::ExitedWithCode(0), "");
}

#ifndef _WIN32

TEST(Log, ADeadAuditDiskIsSaidOnce) {
  const LogFile file(Level::Info, [](log::Settings& settings) {
    settings.audit.emplace().to = log::To::File;
    settings.audit->file = "/dev/full";
    settings.audit->rotate_bytes = 0;
  });
  for (int i = 0; i < 3; ++i) {
    log::audit({{"function", "lineDrop"}});
    EXPECT_TRUE(log::flush(kBound));
  }
  const auto lines = file.lines();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].find("The audit file /dev/full cannot be written"), std::string::npos) << lines[0];
}

/// A pipe in place of standard error, of which nobody has read for long.
class FullPipe {
 public:
  FullPipe() : kept_(dup(2)) {
    if (pipe(ends_) != 0) throw std::runtime_error("no pipe");
    fcntl(ends_[1], F_SETFL, O_NONBLOCK);
    const std::string block(4096, '.');
    while (::write(ends_[1], block.data(), block.size()) > 0) {
    }
    fcntl(ends_[1], F_SETFL, 0);
    dup2(ends_[1], 2);
    close(ends_[1]);
  }
  ~FullPipe() {
    dup2(kept_, 2);
    close(kept_);
    if (reader_.joinable()) reader_.join();
    close(ends_[0]);
  }
  /// Somebody reads now.
  void read() {
    reader_ = std::thread([this] {
      char block[4096];
      for (ssize_t size = 0; (size = ::read(ends_[0], block, sizeof block)) > 0;)
        text_.append(block, static_cast<std::size_t>(size));
    });
  }
  /// After standard error is its own again.
  std::string text() {
    dup2(kept_, 2);
    reader_.join();
    return text_;
  }

 private:
  const int kept_;
  int ends_[2]{};
  std::thread reader_;
  std::string text_;
};

TEST(Log, AFullPipeStopsNobody) {
  constexpr int kLines = 20000;  // more than are kept
  FullPipe pipe;
  log::Settings settings;
  log::set_up(settings);
  log::info("the first");
  for (int i = 0; i < kLines; ++i) log::info("line " + std::to_string(i));
  EXPECT_FALSE(log::flush(std::chrono::milliseconds(50)));
  pipe.read();
  EXPECT_TRUE(log::flush(kBound));
  settings.level = Level::Warn;
  log::set_up(settings);
  const auto text = pipe.text();
  EXPECT_NE(text.find("lines are lost"), std::string::npos);
  EXPECT_NE(text.find("line " + std::to_string(kLines - 1) + "\n"), std::string::npos) << "the youngest are kept";
}

TEST(Log, JournalGetsPriorities) {
  const tests::TemporaryFolder folder;
  const auto path = (folder.path() / "socket").string();
  EXPECT_THROW(log::journal_sink("tsplink-host", path), spdlog::spdlog_ex);
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  const auto sink = log::journal_sink("tsplink-host", path);
  sink->set_pattern("%v");
  const struct {
    spdlog::level::level_enum level;
    const char* priority;
  } levels[] = {{spdlog::level::trace, "7"},
                {spdlog::level::debug, "7"},
                {spdlog::level::info, "6"},
                {spdlog::level::warn, "4"},
                {spdlog::level::err, "3"}};
  for (const auto& [level, priority] : levels) {
    sink->log({"x", level, "a line"});
    char datagram[512];
    const auto size = recv(socket, datagram, sizeof datagram, MSG_DONTWAIT);
    ASSERT_GT(size, 0);
    EXPECT_EQ(std::string(datagram, static_cast<std::size_t>(size)),
              std::string("PRIORITY=") + priority + "\nSYSLOG_IDENTIFIER=tsplink-host\nMESSAGE=a line\n");
  }
  close(socket);
  EXPECT_THROW(sink->log({"x", spdlog::level::info, "nobody reads"}), spdlog::spdlog_ex);
}

#endif

}  // namespace
}  // namespace tsplink::host::test
