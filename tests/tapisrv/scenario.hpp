// Scenario files: one statement to a line, blocks closed by `end`. Parsing only; interpreter.cpp says what they mean.
// Owner: main reads one; it never changes afterwards.
#pragma once

#include <string>
#include <vector>

namespace tsplink::tapisim {

struct Statement {
  int line = 0;
  std::vector<std::string> words;              // the first one is the verb
  std::vector<std::vector<Statement>> blocks;  // repeat: one; parallel: one for each thread
};

using Scenario = std::vector<Statement>;

/// Throws std::runtime_error with a sentence that names the line.
Scenario parse_scenario(const std::string& text);
Scenario read_scenario(const std::string& file);

}  // namespace tsplink::tapisim
