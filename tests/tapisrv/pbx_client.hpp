// The control port of a simulated PBX: one line of text to it, one line back that starts with "ok" or "error".
// Owner: the interpreter. One command at a time; any thread may call.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "tests/platform/socket.hpp"

namespace tsplink::tapisim {

class PbxClient {
 public:
  /// The file holds the port number; it is read when the first command goes out, for the PBX may write it late.
  explicit PbxClient(std::string port_file) : port_file_(std::move(port_file)) {}

  /// The answer line; throws std::runtime_error with a sentence when there is none.
  std::string command(const std::string& line);

 private:
  void connect();

  std::mutex mutex_;
  std::string port_file_;
  std::string received_;
  std::optional<tests::LoopbackSocket> socket_;
};

}  // namespace tsplink::tapisim
