// What tsplink.tsp exports: every function of TSPI that a provider has, and nothing else, so that nothing of ours
// meets the names of another module in the same process.
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "site.hpp"

namespace tsplink::e2e {
namespace {

using Names = std::set<std::string>;

Names in_header(const std::string& prefix) {
  const std::string text = text_of(E2E_TSPI_H);
  const std::regex prototype("\\b(" + prefix + "_\\w+)\\s*\\(");
  Names names;
  for (std::sregex_iterator each(text.begin(), text.end(), prototype), end; each != end; ++each)
    names.insert((*each)[1]);
  return names;
}

TEST(Exports, AreTspiAndNothingElse) {
  Names expected = in_header("TSPI");
  // Declared in tspi.h, but no provider has them: they are Windows CE's.
  for (const char* name : {"TSPI_lineDropNoOwner", "TSPI_lineDropOnClose", "TSPI_lineSetCurrentLocation"}) {
    EXPECT_EQ(expected.erase(name), 1U) << name;
  }
  EXPECT_EQ(expected.size(), 111U);
  const Names dialogs = in_header("TUISPI");
  EXPECT_EQ(dialogs.size(), 8U);
  expected.insert(dialogs.begin(), dialogs.end());

  const Folder folder;
  Process nm({{E2E_NM, "-D", "--defined-only", module_of(End::desktop, "tsplink.tsp").string()}, {}},
             folder.path() / "nm");
  ASSERT_EQ(nm.wait(), 0) << nm.story();
  Names exported;
  std::istringstream lines(nm.out());
  for (std::string address, kind, name; lines >> address >> kind >> name;) exported.insert(name);
  EXPECT_EQ(exported, expected);
}

}  // namespace
}  // namespace tsplink::e2e
