// Unix domain sockets.
#include "remote-host/control/local_socket.hpp"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <optional>
#include <vector>

#include "wire/failure.hpp"

namespace tsplink::host::control {

namespace {

constexpr int kWaiting = 16;  // clients that wait until one of the server's threads takes them

[[noreturn]] void refuse(const std::string& sentence) { throw Failure(Kind::Configuration, sentence); }

class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
  Descriptor& operator=(Descriptor&&) = delete;
  int get() const { return number_; }

 private:
  int number_;
};

/// Waits for a descriptor; false: `until` passed or `stop` can be read. A negative descriptor is none, `until`
/// nullptr never.
bool ready(const wire::Clock& clock, int descriptor, short events, int stop, const wire::TimePoint* until) {
  while (true) {
    int time = -1;
    if (until) {
      const auto left = *until - clock.now();
      if (left <= wire::Duration::zero()) return false;
      const auto nap = std::chrono::ceil<std::chrono::milliseconds>(clock.nap(left)).count();
      time = static_cast<int>(std::min<std::chrono::milliseconds::rep>(nap, INT_MAX));
    }
    pollfd waits[] = {{stop, POLLIN, 0}, {descriptor, events, 0}};
    const int count = ::poll(waits, 2, time);
    if (count < 0 && errno != EINTR) return false;
    if (count <= 0) continue;
    return waits[0].revents == 0;
  }
}

class Stream final : public LocalStream {
 public:
  Stream(const wire::Clock& clock, Descriptor socket, int stop)
      : clock_(clock), socket_(std::move(socket)), stop_(stop) {}

  bool read(std::string& to, wire::TimePoint until) override {
    char block[16384];
    while (ready(clock_, socket_.get(), POLLIN, stop_, &until)) {
      const auto size = ::recv(socket_.get(), block, sizeof block, 0);
      if (size > 0) to.append(block, static_cast<std::size_t>(size));
      if (size > 0) return true;
      if (size == 0 || (errno != EAGAIN && errno != EINTR)) return false;
    }
    return false;
  }

  bool write(std::string_view text, wire::TimePoint until) override {
    while (!text.empty()) {
      if (!ready(clock_, socket_.get(), POLLOUT, stop_, &until)) return false;
      const auto size = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (size > 0) text.remove_prefix(static_cast<std::size_t>(size));
      else if (errno != EAGAIN && errno != EINTR) return false;
    }
    return true;
  }

 private:
  const wire::Clock& clock_;
  const Descriptor socket_;
  const int stop_;
};

sockaddr_un address_of(const std::string& path, Kind kind) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    throw Failure(kind, "The path of the control socket " + path + " is longer than the " +
                            std::to_string(sizeof address.sun_path - 1) +
                            " bytes that the system allows; choose a shorter control.socket.");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Descriptor new_socket(Kind kind) {
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (made.get() < 0) throw Failure(kind, std::string("There is no socket to be had: ") + std::strerror(errno) + ".");
  return made;
}

bool connects(const Descriptor& socket, const sockaddr_un& address) {
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

/// Removes what a dead host left.
void make_room(const std::string& path, const sockaddr_un& address) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) != 0) return;
  if (!S_ISSOCK(there.st_mode)) refuse(path + " is there and no socket; choose another control.socket.");
  if (connects(new_socket(Kind::Configuration), address) || errno != ECONNREFUSED) {
    refuse("Another tsplink-host is reached by the control socket " + path + "; choose another control.socket.");
  }
  ::unlink(path.c_str());
}

gid_t group_number(const std::string& name) {
  std::vector<char> room(65536);
  group entry{};
  group* found = nullptr;
  if (::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found) != 0 || !found) {
    refuse("There is no group \"" + name + "\" on this machine; correct control.group.");
  }
  return found->gr_gid;
}

}  // namespace

std::string socket_of(const std::filesystem::path& configuration, const std::string& socket) {
  const auto file = std::filesystem::absolute(configuration);
  if (!socket.empty()) return (file.parent_path() / socket).lexically_normal().string();
  return std::filesystem::path(file).replace_extension(".socket").lexically_normal().string();
}

class LocalListener::Impl {
 public:
  Impl(std::string path, const std::string& group, const wire::Clock& clock) : clock_(clock), path_(std::move(path)) {
    const auto address = address_of(path_, Kind::Configuration);
    make_room(path_, address);
    if (::pipe2(stop_, O_CLOEXEC) != 0) refuse(std::string("There is no pipe to be had: ") + std::strerror(errno));
    if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) cannot_be_made();
    struct stat made {};
    if (::lstat(path_.c_str(), &made) == 0) made_ = made;
    try {
      // Nobody can connect before listen(), so that nobody comes in by the rights that bind() gave.
      if (!group.empty() && ::lchown(path_.c_str(), static_cast<uid_t>(-1), group_number(group)) != 0) {
        refuse("The control socket cannot be given to the group \"" + group + "\" (" + std::strerror(errno) +
               "); choose a control.group that the host's account is in.");
      }
      if (::chmod(path_.c_str(), group.empty() ? 0600 : 0660) != 0 || ::listen(socket_.get(), kWaiting) != 0)
        cannot_be_made();
    } catch (...) {
      remove();
      throw;
    }
  }
  ~Impl() {
    remove();
    for (const int each : stop_) {
      if (each >= 0) ::close(each);
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  std::unique_ptr<LocalStream> accept() {
    while (ready(clock_, socket_.get(), POLLIN, stop_[0], nullptr)) {
      Descriptor client(::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (client.get() >= 0) return std::make_unique<Stream>(clock_, std::move(client), stop_[0]);
      // No descriptor is free: whoever waits is looked at again soon, without turning in circles until then.
      const auto soon = clock_.now() + std::chrono::milliseconds(100);
      if (errno == EMFILE || errno == ENFILE) ready(clock_, -1, 0, stop_[0], &soon);
    }
    return nullptr;
  }

  void stop() {
    if (::write(stop_[1], "", 1) != 1) std::abort();  // into an empty pipe
  }

 private:
  [[noreturn]] void cannot_be_made() const {
    refuse("The control socket " + path_ + " cannot be made (" + std::strerror(errno) +
           "); choose another control.socket.");
  }
  /// Only one's own: another host may have taken the path since.
  void remove() const {
    struct stat there {};
    if (made_ && ::lstat(path_.c_str(), &there) == 0 && there.st_dev == made_->st_dev &&
        there.st_ino == made_->st_ino)
      ::unlink(path_.c_str());
  }

  const wire::Clock& clock_;
  const std::string path_;
  const Descriptor socket_ = new_socket(Kind::Configuration);
  int stop_[2] = {-1, -1};
  std::optional<struct stat> made_;
};

LocalListener::LocalListener(const std::string& socket, const std::string& group, const wire::Clock& clock)
    : impl_(std::make_unique<Impl>(socket, group, clock)) {}
LocalListener::~LocalListener() = default;
std::unique_ptr<LocalStream> LocalListener::accept() { return impl_->accept(); }
void LocalListener::stop() { impl_->stop(); }

std::unique_ptr<LocalStream> connect_local(const std::string& socket, wire::TimePoint until,
                                           const wire::Clock& clock) {
  const auto address = address_of(socket, Kind::LinkDown);
  while (true) {
    auto mine = new_socket(Kind::LinkDown);
    if (connects(mine, address)) return std::make_unique<Stream>(clock, std::move(mine), -1);
    const int why = errno;
    // The queue is full: a socket of this kind has nothing to wait for but time.
    const auto again = std::min(until, clock.now() + std::chrono::milliseconds(10));
    if (why == EAGAIN && again < until) {
      ready(clock, -1, 0, -1, &again);
      continue;
    }
    if (why == EACCES || why == EPERM) {
      throw Failure(Kind::LinkDown, "This account may not use the control socket " + socket +
                                        "; run tsplinkctl as the host's account, or as one of its control.group.");
    }
    if (why == EAGAIN) throw Failure(Kind::LinkDown, "The tsplink-host at " + socket + " is busy; try again.");
    throw Failure(Kind::LinkDown, "No tsplink-host is reached at " + socket + " (" + std::strerror(why) +
                                      "); start it, or correct --config or --socket.");
  }
}

}  // namespace tsplink::host::control
