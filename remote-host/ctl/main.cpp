// tsplinkctl: the program.
#include <exception>
#include <iostream>

#include "remote-host/ctl/program.hpp"
#include "remote-host/platform.hpp"

int main(int argc, char** argv) {
  using namespace tsplink::host;
  use_utf8_output();
  try {
    return ctl::run(program_arguments(argc, argv), std::cout, std::cerr);
  } catch (const std::exception& failure) {  // out of memory
    std::cerr << "tsplinkctl: " << failure.what() << '\n';
    return 2;
  }
}
