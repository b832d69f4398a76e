#include "crash.hpp"

#include <csignal>
#include <cstring>
#include <initializer_list>

#ifdef _WIN32
#include <windows.h>
#else
#include <unistd.h>
#endif

namespace tsplink::tapisim {
namespace {

thread_local const char* function_now = nullptr;
thread_local int line_now = 0;

/// Nothing but what may be done in a signal's handler.
void say(const char* text) {
#ifdef _WIN32
  DWORD written = 0;
  WriteFile(GetStdHandle(STD_ERROR_HANDLE), text, static_cast<DWORD>(std::strlen(text)), &written, nullptr);
#else
  static_cast<void>(!write(STDERR_FILENO, text, std::strlen(text)));
#endif
}

void say_number(int number) {
  char digits[12] = {};
  int at = static_cast<int>(sizeof digits) - 1;
  do digits[--at] = static_cast<char>('0' + number % 10);
  while ((number /= 10) != 0 && at > 0);
  say(digits + at);
}

void say_where() {
  if (function_now == nullptr) {
    say("tapisim: A crash outside of all TSPI functions: on a thread of the provider, or in tapisim itself");
  } else {
    say("tapisim: The provider crashed inside TSPI_");
    say(function_now);
    if (line_now != 0) {
      say(", called by line ");
      say_number(line_now);
      say(" of the scenario");
    }
  }
  say(".\n");
}

#ifdef _WIN32
LONG WINAPI on_crash(EXCEPTION_POINTERS*) {
  say_where();
  return EXCEPTION_CONTINUE_SEARCH;
}
void on_abort(int) { say_where(); }  // which then goes on
#else
void on_crash(int signal) {
  say_where();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}
#endif

}  // namespace

Inside::Inside(const char* function, int line) : outer_function_(function_now), outer_line_(line_now) {
  function_now = function;
  line_now = line;
}

Inside::~Inside() {
  function_now = outer_function_;
  line_now = outer_line_;
}

void say_crashes() {
#ifdef _WIN32
  SetUnhandledExceptionFilter(on_crash);
  std::signal(SIGABRT, on_abort);
#else
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    struct sigaction before {};
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_DFL) std::signal(signal, on_crash);
  }
#endif
}

}  // namespace tsplink::tapisim
