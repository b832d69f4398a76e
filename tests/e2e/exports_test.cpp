// What tsplink.tsp exports: every function of TSPI that a provider has, and nothing else, so that nothing of ours
// meets the names of another module in the same process. And on Windows what each file imports, which is nothing but
// Windows, and the version that it shows.
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

std::string output_of(const std::vector<std::string>& command) {
  const Folder folder;
  Process tool({command, {}}, folder.path() / "tool");
  EXPECT_EQ(tool.wait(), 0) << tool.story();
  return tool.out();
}

std::string module_path() { return module_of(End::desktop, "tsplink.tsp").string(); }

/// A Windows module's tables, as objdump prints them.
struct Tables {
  std::string width;
  Names exports, imports;  // the latter as "kernel32.dll CreateFileW"
};

Tables tables_of(const std::string& windows_file) {
  Tables tables;
  std::istringstream lines(output_of({"/usr/bin/env", "x86_64-w64-mingw32-objdump", "-p", windows_file}));
  const std::regex dll("\\s*DLL Name: (\\S+)"), imported("\\s+[0-9a-f]+\\s+[0-9]+\\s+(\\S+)"),
      exported("\\s+\\[ *[0-9]+\\](?: \\+base\\[ *[0-9]+\\])? +(?:[0-9a-f]+ )?([A-Za-z_]\\S*)");
  std::string from;
  bool names = false;
  std::smatch found;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("file format pei-x86-64") != std::string::npos) tables.width = "x64";
    if (line.find("file format pei-i386") != std::string::npos) tables.width = "x86";
    if (line.find("[Ordinal/Name Pointer] Table") != std::string::npos) names = true;
    if (std::regex_match(line, found, dll)) {
      from = found[1];
      for (char& c : from) c = static_cast<char>(std::tolower(c));
    } else if (line.empty()) {
      from.clear();
    } else if (!from.empty() && std::regex_match(line, found, imported)) {
      tables.imports.insert(from + " " + found[1].str());
    } else if (names && std::regex_match(line, found, exported)) {
      tables.exports.insert(found[1]);
    }
  }
  return tables;
}

Names exported_names() {
  if (is_windows(End::desktop)) return tables_of(module_path()).exports;
  Names names;
  std::istringstream lines(output_of({E2E_NM, "-D", "--defined-only", module_path()}));
  for (std::string address, kind, name; lines >> address >> kind >> name;) names.insert(name);
  return names;
}

TEST(Exports, AreTspiAndNothingElse) {
  Names expected = in_header("TSPI");
  // Declared in tspi.h, but obsolete and never called from TAPI 2.0 on.
  for (const char* name : {"TSPI_lineDropNoOwner", "TSPI_lineDropOnClose", "TSPI_lineSetCurrentLocation"}) {
    EXPECT_EQ(expected.erase(name), 1U) << name;
  }
  EXPECT_EQ(expected.size(), 111U);
  const Names dialogs = in_header("TUISPI");
  EXPECT_EQ(dialogs.size(), 8U);
  expected.insert(dialogs.begin(), dialogs.end());
  EXPECT_EQ(exported_names(), expected);
}

/// The table in tests/golden says what Windows must have and what TAPISRV finds. It changes on purpose only.
TEST(Exports, AndImportsOfWindowsModulesAreThoseOfTheTable) {
  if (!is_windows(End::desktop)) GTEST_SKIP() << "the desktop is no Windows build";
  const auto tables = tables_of(module_path());
  ASSERT_TRUE(tables.width == "x64" || tables.width == "x86");
  Names actual, expected;
  for (const auto& name : tables.exports) actual.insert("exports " + name);
  for (const auto& name : tables.imports) actual.insert("imports " + name);
  std::istringstream table(text_of(std::string(E2E_SOURCES) + "/tests/golden/windows_module.txt"));
  for (std::string line; std::getline(table, line);) {
    if (const auto at = line.find(" | "); at != std::string::npos && line.find(tables.width, at) != std::string::npos)
      expected.insert(line.substr(0, at));
  }
  for (const auto& line : actual) EXPECT_TRUE(expected.contains(line)) << "not in the table: " << line;
  for (const auto& line : expected) EXPECT_TRUE(actual.contains(line)) << "no longer there: " << line;
}

struct File {
  std::string path;
  bool product;  // installed at a customer's
};

/// Those of the ends that are Windows builds; none when neither is.
std::vector<File> windows_files() {
  std::vector<File> files;
  if (is_windows(End::desktop)) {
    files.push_back({module_path(), true});
    files.push_back({program_of(End::desktop, "tapisim").back(), false});
  }
  if (is_windows(End::host)) {
    for (const char* name : {"tsplink-host", "tsplinkctl"})
      files.push_back({program_of(End::host, name).back(), true});
    files.push_back({module_of(End::host, "simpbx.tsp").string(), false});
  }
  return files;
}

/// Each is one file, that needs no other: no runtime of the compiler's, no libzmq, no OpenSSL.
TEST(Imports, OfWindowsFilesAreWindowsOwn) {
  const auto files = windows_files();
  if (files.empty()) GTEST_SKIP() << "neither end is a Windows build";
  const Names own{"advapi32.dll", "bcrypt.dll", "crypt32.dll", "iphlpapi.dll", "kernel32.dll",
                  "msvcrt.dll",   "ntdll.dll",  "shell32.dll", "user32.dll",   "ws2_32.dll"};
  for (const auto& file : files) {
    Names dlls;
    for (const auto& entry : tables_of(file.path).imports) dlls.insert(entry.substr(0, entry.find(' ')));
    EXPECT_TRUE(dlls.contains("kernel32.dll")) << file.path;
    for (const auto& dll : dlls) EXPECT_TRUE(own.contains(dll)) << file.path << " imports from " << dll;
  }
}

/// A text of a Windows resource and the NUL behind it.
std::string wide(const std::string& text) {
  std::string out;
  for (const char c : text + '\0') out += {c, '\0'};
  return out;
}

TEST(Versions, OfWindowsFilesAreTheProjects) {
  std::size_t seen = 0;
  for (const auto& file : windows_files()) {
    if (!file.product) continue;
    ++seen;
    const auto bytes = text_of(file.path);
    for (const char* key : {"FileVersion", "ProductVersion"}) {
      const auto at = bytes.find(wide(key));
      ASSERT_NE(at, std::string::npos) << file.path << " has no " << key;
      // The value begins at the next multiple of four bytes.
      const auto value = bytes.find_first_not_of('\0', at + wide(key).size());
      EXPECT_EQ(bytes.substr(value, wide(TSPLINK_VERSION).size()), wide(TSPLINK_VERSION)) << file.path << ' ' << key;
    }
  }
  if (seen == 0) GTEST_SKIP() << "neither end is a Windows build";
}

/// A build with faults has the name of the variable that selects them: so this search would see it.
TEST(Faults, AreInNoProductButInABuildWithThem) {
#ifdef TSPLINK_FAULTS
  constexpr bool kExpected = true;
#else
  constexpr bool kExpected = false;
#endif
  for (const auto& file : {module_path(), program_of(End::host, "tsplink-host").back()}) {
    const auto bytes = text_of(file);
    ASSERT_FALSE(bytes.empty()) << file;
    EXPECT_EQ(bytes.find("TSPLINK_FAULT") != std::string::npos, kExpected) << file;
  }
}

}  // namespace
}  // namespace tsplink::e2e
