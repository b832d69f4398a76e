#include "pbx_client.hpp"

#include <chrono>
#include <fstream>
#include <stdexcept>

namespace tsplink::tapisim {

void PbxClient::connect() {
  if (socket_) return;
  if (port_file_.empty()) throw std::runtime_error("pbx needs --pbx FILE, the file with the control port");
  std::uint16_t port = 0;
  std::ifstream in(port_file_);
  if (!(in >> port) || port == 0) {
    throw std::runtime_error("the file " + port_file_ + " holds no port number; is the simulated PBX running?");
  }
  socket_.emplace(port, tests::LoopbackSocket::Options{.patience = std::chrono::seconds(30)});
}

std::string PbxClient::command(const std::string& line) {
  const std::lock_guard lock(mutex_);
  connect();
  const std::string out = line + "\n";
  const auto lost = [&](const std::string& sentence) {
    socket_.reset();
    received_.clear();
    throw std::runtime_error(sentence);
  };
  if (!socket_->write({reinterpret_cast<const std::uint8_t*>(out.data()), out.size()})) {
    lost("the simulated PBX closed its control connection");
  }
  std::size_t end = 0;
  while ((end = received_.find('\n')) == std::string::npos) {
    const auto part = socket_->read();
    if (part.empty()) lost("the simulated PBX gave no answer to \"" + line + "\"");
    received_.append(part.begin(), part.end());
  }
  std::string answer = received_.substr(0, end);
  received_.erase(0, end + 1);
  if (!answer.empty() && answer.back() == '\r') answer.pop_back();
  return answer;
}

}  // namespace tsplink::tapisim
