// The trace for people: one line for each call, completion and event, "HH:MM:SS.uuuuuu label | what". A call that has
// not returned when something else happens is printed at once with "...", and its result on a line of its own.
// Owner: main. Any thread may call; lines never mix.
#pragma once

#include <cstdio>
#include <list>
#include <mutex>
#include <string>

namespace tsplink::tapisim {

class Trace {
 public:
  Trace(std::string label, std::FILE* screen, const std::string& file);  // throws std::runtime_error with a sentence
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  void line(const std::string& text);

  struct Running {
    std::string text;
    bool printed = false;
  };
  using Token = std::list<Running>::iterator;
  Token begin(const std::string& call);
  void end(Token token, const std::string& name, const std::string& result);

 private:
  void print(const std::string& text);
  void print_running();

  std::mutex mutex_;
  std::list<Running> running_;
  const std::string label_;
  std::FILE* screen_;
  std::FILE* file_ = nullptr;
};

}  // namespace tsplink::tapisim
