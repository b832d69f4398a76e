// What counts as covered, and what of it the scenarios reached on the vendor's own TSP (tapisim --coverage): for each
// function success with a value in every parameter and each kind of failure that it can have, for each message every
// parameter. Owner: one test program; one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "functions.hpp"

namespace tsplink::conformance {

/// The kinds of end that a function must be seen with, besides success.
std::vector<std::string> failures_of(const tapisim::Function& function);
/// Why a function cannot fail that way behind a proxy; empty: it can.
std::string never(const tapisim::Function& function, const std::string& failure);

class Ledger {
 public:
  /// Adds a file that tapisim wrote, as reached by a scenario.
  void add(const std::string& text, const std::string& scenario);

  /// What is missing, one line for each function or message that lacks something, sorted.
  std::vector<std::string> missing() const;
  std::size_t functions() const;
  std::size_t messages() const;
  /// For people: each function and message with the scenarios that cover it.
  std::string list() const;

 private:
  struct Reached {
    std::set<std::string> parameters;
    std::set<std::string> scenarios;
  };
  std::vector<std::string> missing_of(const tapisim::Function& function) const;

  std::map<std::string, Reached> reached_;  // "function NAME HOW", "message NAME"
};

}  // namespace tsplink::conformance
