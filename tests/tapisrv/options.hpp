// The words of a statement, sorted: plain words, name=value pairs, and the words after as, on, of, within, fails, ...
// Owner: the interpreter, one for each statement. One thread.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "interpreter.hpp"

namespace tsplink::tapisim {

struct Interpreter::Options {
  std::vector<std::string> plain;
  std::map<std::string, std::string> pairs;  // name=value
  std::map<std::string, std::string> after;  // the word that follows a keyword

  std::string get(const std::string& keyword) const {
    const auto found = after.find(keyword);
    return found == after.end() ? std::string() : found->second;
  }
  std::string pair(const std::string& name) const {
    const auto found = pairs.find(name);
    return found == pairs.end() ? std::string() : found->second;
  }
};

}  // namespace tsplink::tapisim
