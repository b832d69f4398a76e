#include "remote-host/journal.hpp"

#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace tsplink::host::log {

namespace {

class JournalSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  JournalSink(std::string name, const std::string& socket) : name_(std::move(name)) {
    address_.sun_family = AF_UNIX;
    if (socket.size() >= sizeof address_.sun_path) throw spdlog::spdlog_ex("the socket's name is too long");
    std::memcpy(address_.sun_path, socket.c_str(), socket.size());
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (socket_ < 0) throw spdlog::spdlog_ex("socket", errno);
    // Only to see that there is one: journald may start anew, so each line names it again.
    const int probe = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool there = ::connect(probe, reinterpret_cast<const sockaddr*>(&address_), sizeof address_) == 0;
    const int why = errno;
    ::close(probe);
    if (there) return;
    ::close(socket_);
    throw spdlog::spdlog_ex("nobody listens on " + socket, why);
  }
  ~JournalSink() override { ::close(socket_); }
  JournalSink(const JournalSink&) = delete;
  JournalSink& operator=(const JournalSink&) = delete;

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    // syslog's: debug 7, info 6, warning 4, err 3, crit 2
    constexpr std::array<char, spdlog::level::n_levels> kPriorities{'7', '7', '6', '4', '3', '2', '7'};
    const std::string entry = std::string("PRIORITY=") + kPriorities[static_cast<std::size_t>(message.level)] +
                              "\nSYSLOG_IDENTIFIER=" + name_ +
                              "\nMESSAGE=" + std::string(message.payload.data(), message.payload.size()) + "\n";
    const auto sent = ::sendto(socket_, entry.data(), entry.size(), MSG_NOSIGNAL,
                               reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
    if (sent < 0) throw spdlog::spdlog_ex("journald takes no line", errno);
  }
  void flush_() override {}

 private:
  const std::string name_;
  sockaddr_un address_{};
  int socket_ = -1;
};

}  // namespace

spdlog::sink_ptr journal_sink(const std::string& name, const std::string& socket) {
  return std::make_shared<JournalSink>(name, socket);
}

}  // namespace tsplink::host::log
