#include "wire/link/reactor.hpp"

#include <zmq.h>

#include <algorithm>
#include <cerrno>
#include <future>
#include <thread>

#include "wire/failure.hpp"
#include "wire/link/platform.hpp"
#include "wire/link/reactor_core.hpp"

namespace tsplink::link {

namespace {
constexpr std::size_t kReadsARound = 128;  // of one socket, so that no socket and no timer starves
constexpr char kWakeEndpoint[] = "inproc://tsplink-wake";

void* wake_socket(void* context) {
  void* socket = new_socket(context, ZMQ_PAIR);
  const int none = 0;
  zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof none);
  return socket;
}
}  // namespace

void ContextCloser::operator()(void* context) const {
  while (zmq_ctx_term(context) != 0 && zmq_errno() == EINTR) {
  }
}

void SocketCloser::operator()(void* socket) const { zmq_close(socket); }

ReactorCore::ReactorCore(const wire::Clock& clock, Log log) : clock_(clock), log_(std::move(log)) {
  context_.reset(zmq_ctx_new());
  wake_out_.reset(wake_socket(context_.get()));
  wake_in_.reset(wake_socket(context_.get()));
  if (zmq_bind(wake_out_.get(), kWakeEndpoint) != 0 || zmq_connect(wake_in_.get(), kWakeEndpoint) != 0) {
    throw Failure(Kind::Internal, std::string("the reactor's wake-up failed: ") + zmq_strerror(zmq_errno()));
  }
  client_socket_ = std::make_unique<StreamSocket>(context_.get());
  client_events_.socket = client_socket_.get();
  add_socket(*client_socket_, client_events_);
}

ReactorCore::~ReactorCore() { stop(); }

void ReactorCore::start() {
  const std::lock_guard lock(mutex_);
  if (running_) return;
  running_ = true;
  stopping_ = false;
  thread_ = std::thread([this] { loop(); });
}

void ReactorCore::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return;
  }
  post([this] { stopping_ = true; });
  thread_.join();
  thread_id_ = std::thread::id();
  std::vector<Task> dropped;
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    dropped.swap(posted_);
  }
  resolver_.stop();
  timers_.clear();
  to_flush_.clear();
}

bool ReactorCore::running() const { return thread_id_.load() != std::thread::id(); }

void ReactorCore::post(Task task) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(task));
  if (posted_.size() == 1) wake();
}

void ReactorCore::wake() {
  // The pipe holds a thousand; at most one is there, unless a round is slow.
  while (zmq_send(wake_in_.get(), "", 0, ZMQ_DONTWAIT) < 0 && zmq_errno() == EINTR) {
  }
}

void ReactorCore::after(wire::Duration delay, Task task) {
  const auto when = now() + delay;
  if (on_thread()) return at(when, std::move(task));
  post([this, when, task = std::move(task)]() mutable { at(when, std::move(task)); });
}

void ReactorCore::run(const Task& task) {
  bool threaded = false;
  {
    const std::lock_guard lock(mutex_);
    threaded = running_;
  }
  if (!threaded || on_thread()) return task();
  const auto done = std::make_shared<std::promise<void>>();
  auto result = done->get_future();
  post([&task, done] {
    try {
      task();
      done->set_value();
    } catch (...) {
      done->set_exception(std::current_exception());
    }
  });
  try {
    result.get();
  } catch (const std::future_error&) {
    task();  // the reactor stopped first: there is no thread any more
  }
}

void ReactorCore::log(Level level, const std::string& line) const {
  if (log_) log_(level, line);
}

void ReactorCore::at(wire::TimePoint when, Task task) {
  timers_.push_back({when, next_timer_++, std::move(task)});
  std::push_heap(timers_.begin(), timers_.end());
}

void ReactorCore::add_socket(StreamSocket& socket, SocketEvents& events) { sockets_.push_back({&socket, &events}); }

void ReactorCore::remove_socket(StreamSocket& socket) {
  std::erase_if(sockets_, [&](const Entry& entry) { return entry.socket == &socket; });
}

ReactorCore::Connecting ReactorCore::connect(const std::string& address, std::uint16_t port, SocketEvents& events) {
  Connecting result;
  while (used_slots_.contains(result.slot)) ++result.slot;
  // An id of nine bytes never equals one of ZeroMQ's own, which have five.
  result.id = "C";
  for (int shift = 0; shift < 64; shift += 8) result.id.push_back(static_cast<char>(next_client_id_ >> shift));
  ++next_client_id_;
  // Leading zeros in the port make each endpoint unique: zmq_disconnect() ends all that are spelt alike.
  result.endpoint = "tcp://" + address + ":" + std::string(result.slot, '0') + std::to_string(port);
  const int error = client_socket_->connect(result.id, result.endpoint);
  if (error != 0) {
    throw Failure(Kind::LinkDown, "no connection can be made to " + address + ": " + zmq_strerror(error));
  }
  used_slots_.insert(result.slot);
  client_events_.by_id[result.id] = &events;
  return result;
}

void ReactorCore::disconnect(const Connecting& connecting) {
  client_events_.by_id.erase(connecting.id);
  client_socket_->drop(connecting.id);
  client_socket_->disconnect(connecting.endpoint);
  used_slots_.erase(connecting.slot);
}

void ReactorCore::ClientEvents::on_connect(const RoutingId& id, const std::string& address) {
  if (const auto found = by_id.find(id); found != by_id.end()) return found->second->on_connect(id, address);
  // ZeroMQ connected again by itself just before it was told to stop.
  socket->drop(id);
}

void ReactorCore::ClientEvents::on_bytes(const RoutingId& id, std::span<const std::uint8_t> bytes) {
  if (const auto found = by_id.find(id); found != by_id.end()) found->second->on_bytes(id, bytes);
}

void ReactorCore::ClientEvents::on_disconnect(const RoutingId& id) {
  if (const auto found = by_id.find(id); found != by_id.end()) found->second->on_disconnect(id);
}

long ReactorCore::poll_timeout() const {
  if (!to_flush_.empty()) return 0;
  using std::chrono::milliseconds;
  // A clock that a test moves gives no wake-up: look often.
  const long most = &clock_ == &wire::Clock::steady() ? 60'000 : 2;
  if (timers_.empty()) return most;
  const auto wait = std::chrono::ceil<milliseconds>(timers_.front().when - now()).count();
  return static_cast<long>(std::clamp<long long>(wait, 0, most));
}

void ReactorCore::loop() {
  thread_id_ = std::this_thread::get_id();
  prepare_thread("tsplink-reactor");
  std::vector<zmq_pollitem_t> items;
  bool more = false;  // a socket was left with unread messages
  while (!stopping_) {
    items.assign(1, {wake_out_.get(), 0, ZMQ_POLLIN, 0});
    for (const Entry& entry : sockets_) items.push_back({entry.socket->handle(), 0, ZMQ_POLLIN, 0});
    const bool waited = zmq_poll(items.data(), static_cast<int>(items.size()), more ? 0 : poll_timeout()) >= 0 ||
                        zmq_errno() == EINTR;
    // Windows may refuse to wait when it is short of memory: then look all the same, a little later.
    if (!waited) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    more = false;
    if (!waited || (items[0].revents & ZMQ_POLLIN) != 0) run_posted();
    // By index and by value: a handler may add or remove sockets meanwhile.
    for (std::size_t i = 0; i < sockets_.size(); ++i) {
      const Entry entry = sockets_[i];
      more = entry.socket->read(*entry.events, kReadsARound) || more;
    }
    run_timers();
    flush_peers();
  }
}

void ReactorCore::run_posted() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    char nothing = 0;
    while (zmq_recv(wake_out_.get(), &nothing, sizeof nothing, ZMQ_DONTWAIT) >= 0) {
    }
    tasks.swap(posted_);
  }
  for (Task& task : tasks) {
    if (stopping_) return;
    task();
  }
}

void ReactorCore::run_timers() {
  const auto at_start = now();
  while (!timers_.empty() && timers_.front().when <= at_start) {
    std::pop_heap(timers_.begin(), timers_.end());
    const Task task = std::move(timers_.back().task);
    timers_.pop_back();
    task();
  }
}

void ReactorCore::flush_peers() {
  std::vector<std::shared_ptr<Peer>> peers;
  peers.swap(to_flush_);
  for (const auto& peer : peers) peer->flush();
}

Reactor::Reactor(const wire::Clock& clock, Log log) : core_(std::make_unique<ReactorCore>(clock, std::move(log))) {}
Reactor::~Reactor() { stop(); }
void Reactor::start() { core_->start(); }
void Reactor::stop() { core_->stop(); }
void Reactor::post(std::function<void()> task) { core_->post(std::move(task)); }
void Reactor::after(wire::Duration delay, std::function<void()> task) { core_->after(delay, std::move(task)); }

}  // namespace tsplink::link
