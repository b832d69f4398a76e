// What each program says of itself when it is asked for help: on the standard output, with its main options, status
// 0.
#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

struct Helpful {
  End end;
  const char* program;
  std::vector<std::string> says;
};

void PrintTo(const Helpful& one, std::ostream* out) { *out << one.program; }

class Help : public testing::TestWithParam<Helpful> {};

TEST_P(Help, NamesTheMainOptions) {
  const auto& [end, program, says] = GetParam();
  const Folder folder;
  auto command = program_of(end, program);
  command.emplace_back("--help");
  Process process({command, {}}, folder.path() / "help");
  EXPECT_EQ(process.wait(), 0) << process.story();
  EXPECT_EQ(process.err(), "");
  const auto text = process.out();
  EXPECT_NE(text.find("Usage: "), std::string::npos) << text;
  for (const auto& word : says) EXPECT_NE(text.find("\n  " + word + " "), std::string::npos) << word << '\n' << text;
  if (is_windows(end) && std::string(program) == "tsplink-host") {
    EXPECT_NE(text.find("\n  --install-service"), std::string::npos) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Help,
    testing::Values(Helpful{End::host, "tsplink-host", {"--config", "--check", "--export-ids", "--import-ids"}},
                    Helpful{
                        End::host,
                        "tsplinkctl",
                        {"--config", "--socket", "--json", "status", "sessions", "lines", "calls", "certificates"}},
                    Helpful{End::desktop,
                            "tapisim",
                            {"module", "scenario", "--canonical", "--trace", "--msp", "--rules", "--describe"}}),
    [](const auto& one) {
      std::string name = one.param.program;
      name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
      return name;
    });

}  // namespace
}  // namespace tsplink::e2e
