// Runs tapisim on a TSP and hands back what it said. One process for each run, so that a broken TSP harms nobody.
// Owner: the test. One thread.
#pragma once

#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace tsplink::tapisim {

struct Said {
  int status = -1;
  std::string text;
};

inline Said run_tapisim(const std::string& module, const std::string& scenario, const std::string& options,
                        const std::string& habit = "") {
  setenv("BAD_HABIT", habit.c_str(), 1);
  const std::string command = std::string(TAPISIM) + " " + module + " " + scenario + " " + options + " 2>&1";
  Said said;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return said;
  char buffer[4096];
  std::size_t n = 0;
  while ((n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0) said.text.append(buffer, n);
  const int status = pclose(pipe);
  said.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return said;
}

inline std::string file_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace tsplink::tapisim
