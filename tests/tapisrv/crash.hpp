// A crash of the provider is named: in which function, for which line of the scenario. Owner: the program. Any
// thread.
#pragma once

namespace tsplink::tapisim {

/// For as long as a thread is inside a function of the provider. `function` must live on.
class Inside {
 public:
  Inside(const char* function, int line);
  ~Inside();
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  const char* const outer_function_;
  const int outer_line_;
};

/// From now on a crash writes a sentence to standard error before the process ends as it would have. Where somebody
/// else names crashes already (a sanitizer), nothing is done.
void say_crashes();

}  // namespace tsplink::tapisim
