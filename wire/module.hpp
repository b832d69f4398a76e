// The module (DLL, .so) that holds this code: whoever has loaded it may unload it, but not while threads run in it.
// Any thread.
#pragma once

namespace tsplink::wire {

/// Keeps the module loaded as long as the object lives. The last one must go while the loader of the module still has
/// it, inside a call of an exported function for instance. In a program it does nothing.
class LoadedModule {
 public:
  LoadedModule();
  ~LoadedModule();
  LoadedModule(const LoadedModule&) = delete;
  LoadedModule& operator=(const LoadedModule&) = delete;

  /// For a thread that nobody waits for: the module stays until the process ends.
  static void keep_for_good();

 private:
  void* handle_ = nullptr;
};

}  // namespace tsplink::wire
