// Runs tapisim on a TSP and hands back what it said. One process for each run, so that a broken TSP harms nobody.
// Its standard error goes to the same text, or to the file that `errors` names. Owner: the test. One thread.
#pragma once

#ifndef _WIN32
#include <sys/wait.h>
#endif

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/platform/files.hpp"
#include "tests/platform/process.hpp"

namespace tsplink::tapisim {

struct Said {
  int status = -1;
  std::string text;
};

inline Said run_tapisim(const std::string& module, const std::string& scenario, const std::string& options,
                        const std::string& habit = "", const std::string& errors = "&1") {
  tests::set_environment("BAD_HABIT", habit);
  const auto beside = [](const std::string& file) { return (tests::program_folder() / file).string(); };
  const std::string command =
      beside(TAPISIM) + " " + beside(module) + " " + scenario + " " + options + " 2>" + errors;
  Said said;
#ifdef _WIN32
  std::FILE* pipe = _popen(command.c_str(), "r");
#else
  std::FILE* pipe = popen(command.c_str(), "r");
#endif
  if (pipe == nullptr) return said;
  char buffer[4096];
  std::size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0) said.text.append(buffer, n);
#ifdef _WIN32
  said.status = _pclose(pipe);
#else
  const int status = pclose(pipe);
  said.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
#endif
  return said;
}

inline std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace tsplink::tapisim
