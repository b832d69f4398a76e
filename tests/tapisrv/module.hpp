// A loaded TSP or MSP module. The only file besides pbx_client.cpp that knows an operating system.
// Owner: main (TSP) or the MSP side. Any thread may look symbols up.
#pragma once

#include <string>

namespace tsplink::tapisim {

class Module {
 public:
  explicit Module(const std::string& path);  // throws std::runtime_error with a sentence
  ~Module();                                 // unloads, but not in sanitizer builds, which need the names
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  void* symbol(const std::string& name) const;  // null when the module does not export it

 private:
  void* handle_ = nullptr;
};

}  // namespace tsplink::tapisim
