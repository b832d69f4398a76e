#include "tests/simpbx/control.hpp"

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <list>
#include <mutex>
#include <thread>

#include "tests/simpbx/pbx.hpp"
#include "tests/simpbx/socket.hpp"

namespace tsplink::simpbx {

struct ControlServer::Impl {
  explicit Impl(Pbx& p) : pbx(p) {}

  struct Client {
    std::unique_ptr<Socket> socket;
    std::thread thread;
    std::atomic<bool> done{false};
  };

  void serve(Client& client) {
    while (const auto line = client.socket->read_line()) {
      if (line->empty()) continue;
      if (!client.socket->write(run_command(pbx, *line) + "\n")) break;
    }
    client.done = true;
  }

  void accept_all() {
    while (!stopping) {
      auto socket = listener->accept();
      const std::scoped_lock lock(mutex);
      remove_finished();
      if (!socket) continue;
      Client& client = clients.emplace_back();
      client.socket = std::move(socket);
      client.thread = std::thread([this, &client] { serve(client); });
    }
  }

  void remove_finished() {
    for (auto at = clients.begin(); at != clients.end();) {
      if (!at->done) {
        ++at;
        continue;
      }
      at->thread.join();
      at = clients.erase(at);
    }
  }

  /// Whoever waits for the file must not read half a number: it is written under another name and renamed.
  void publish(std::uint16_t port) {
    const std::filesystem::path target(path);
    const std::filesystem::path temporary(path + "." + std::to_string(process_id()));
    {
      std::ofstream file(temporary, std::ios::trunc);
      file << port << "\n";
      if (!file) throw std::runtime_error("simpbx: '" + path + "' cannot be written; check SIMPBX_CONTROL.");
    }
    std::filesystem::rename(temporary, target);
  }

  Pbx& pbx;
  std::string path;
  std::unique_ptr<Socket> listener;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::list<Client> clients;
  std::thread thread;
};

ControlServer::ControlServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

std::unique_ptr<ControlServer> ControlServer::start(Pbx& pbx) {
  const std::string path = environment("SIMPBX_CONTROL");
  if (path.empty()) return nullptr;
  auto impl = std::make_unique<Impl>(pbx);
  impl->path = path;
  std::uint16_t port = 0;
  impl->listener = Socket::listen(port);
  impl->publish(port);
  Impl* const raw = impl.get();
  impl->thread = std::thread([raw] { raw->accept_all(); });
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::~ControlServer() {
  impl_->stopping = true;
  impl_->listener->wake();
  impl_->thread.join();
  for (auto& client : impl_->clients) client.socket->wake();
  for (auto& client : impl_->clients) client.thread.join();
  std::error_code ignored;
  std::filesystem::remove(impl_->path, ignored);
}

}  // namespace tsplink::simpbx
