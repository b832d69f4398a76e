// The running process: its environment, what it holds, the modules that it loads.
// Any thread, but the environment belongs to the test's.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace tsplink::tests {

/// For this process, its modules and the processes that it starts.
void set_environment(const std::string& name, const std::string& value);

/// Threads of this process.
std::size_t thread_count();
/// Its open descriptors; on Windows its handles, sockets among them.
std::size_t handle_count();

/// A loaded module.
class Module {
 public:
  /// What happens when the object goes. Sanitizer builds never unload: their reports name functions of a module only
  /// while it is loaded.
  enum class AtTheEnd { unload, keep };

  /// Throws std::runtime_error with a sentence.
  explicit Module(const std::filesystem::path& file, AtTheEnd end = AtTheEnd::keep);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;
  /// nullptr if it exports no such name.
  void* symbol(const std::string& name) const;

 private:
  void* handle_;
  AtTheEnd end_;
};

}  // namespace tsplink::tests
