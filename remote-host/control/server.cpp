#include "remote-host/control/server.hpp"

#include "remote-host/control/answers.hpp"
#include "wire/failure.hpp"
#include "wire/link/platform.hpp"

namespace tsplink::host::control {

namespace {

constexpr std::size_t kMaxAnswer = 64U << 20U;

/// The text before the first end of line; false: it did not come, or is longer than `most`.
bool read_line(LocalStream& stream, std::string& line, std::size_t most, wire::TimePoint until) {
  while (true) {
    const auto before = line.size();
    if (!stream.read(line, until)) return false;
    if (const auto end = line.find('\n', before); end != std::string::npos) {
      line.resize(end);
      return end <= most;
    }
    if (line.size() > most) return false;
  }
}

}  // namespace

Server::Server(const std::string& socket, const std::string& group, Answer answer, const wire::Clock& clock,
               Bounds bounds)
    : clock_(clock), bounds_(bounds), answer_(std::move(answer)), listener_(socket, group, clock) {
  for (std::size_t i = 0; i < bounds_.clients; ++i) threads_.emplace_back([this] { serve(); });
}

Server::~Server() {
  listener_.stop();
  for (auto& each : threads_) each.join();
}

void Server::serve() {
  link::prepare_thread("control");
  while (const auto client = listener_.accept()) serve(*client);
}

void Server::serve(LocalStream& client) const {
  std::string request;
  const bool whole = read_line(client, request, bounds_.request_bytes, clock_.now() + bounds_.request);
  if (!whole && request.size() <= bounds_.request_bytes) return;  // it went, or is silent
  const auto answer =
      whole ? answer_(request)
            : refusal("The request is longer than " + std::to_string(bounds_.request_bytes) + " bytes.");
  const auto until = clock_.now() + bounds_.answer;
  if (!client.write(answer + "\n", until)) return;
  // The client leaves first: what it has not read is lost on Windows when this end goes.
  std::string more;
  while (client.read(more, until)) more.clear();
}

std::string ask(const std::string& socket, const std::string& request, std::chrono::milliseconds bound,
                const wire::Clock& clock) {
  const auto until = clock.now() + bound;
  const auto host = connect_local(socket, until, clock);
  host->write(request + "\n", until);  // a host that refuses it unread still answers
  std::string answer;
  if (!read_line(*host, answer, kMaxAnswer, until)) {
    throw Failure(Kind::LinkDown, "The tsplink-host at " + socket + " did not answer; look into its log.");
  }
  return answer;
}

}  // namespace tsplink::host::control
