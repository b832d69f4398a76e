// What differs between operating systems: loading a module, waiting for the order to stop, a file that appears whole.
// Owner: the program. Threads: as each function says.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tsplink::host {

/// A symbol of a module by name; nullptr: not exported.
using Lookup = std::function<void*(const char*)>;

struct Module {
  Lookup lookup;
  std::shared_ptr<void> keep;  // the module is unloaded with the last copy
  std::string file = {};       // for sentences
};

/// Loads a TSP. Throws Failure(Configuration) with a sentence. Any thread.
Module load_module(const std::filesystem::path& path);

/// What the service manager hears of; empty functions elsewhere.
struct Stages {
  std::function<void()> started = [] {};          // the lines are served
  std::function<void(int)> leaving = [](int) {};  // the process ends at once, with this exit status
};

/// Takes SIGINT, SIGTERM and SIGHUP (Windows: console events) away from every thread started later. Main thread,
/// first.
void take_stop_signals();
/// What is written from now on, logs with dialled numbers above all, is not for every account of the machine. On
/// Windows the folder's permissions decide.
void keep_files_private();
/// Waits for one of them: true when it came in time; from then on a second one ends the process at once. Main thread.
bool stop_signal_within(std::chrono::milliseconds time);
#ifdef _WIN32
/// What the service manager's order to stop is: stop_signal_within() returns. Any thread.
void order_stop();
#endif
/// The program's arguments without its name, in UTF-8. Main thread.
std::vector<std::string> program_arguments(int argc, char** argv);
/// Lets texts in UTF-8 be read on the terminal. Main thread, first.
void use_utf8_output();
/// A driver that cannot be loaded is an error, not a box that somebody has to close. Main thread, first.
void show_no_boxes();
/// Ends the process without unwinding, when a vendor's thread does not come back.
[[noreturn]] void leave_at_once(int status);

/// Writes `text` so that a reader sees nothing or all of it; replaces nothing but a regular file. Throws
/// Failure(Configuration), which names the `setting` that the path is of.
void write_whole_file(const std::filesystem::path& path, const std::string& text, const std::string& setting);

}  // namespace tsplink::host
