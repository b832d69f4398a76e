#include "process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace tsplink::e2e {

namespace {

using Clock = std::chrono::steady_clock;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& more) {
  std::vector<std::string> out;
  for (char** each = environ; *each != nullptr; ++each) {
    const std::string entry = *each;
    const std::string name = entry.substr(0, entry.find('='));
    // GoogleTest's report is this program's alone; the host and the proxy get their settings from the test only.
    if (!more.contains(name) && name != "GTEST_OUTPUT" && name != "TSPLINK_CONFIG" && name != "LC_ALL")
      out.push_back(entry);
  }
  for (const auto& [name, value] : more) out.push_back(name + "=" + value);
  out.push_back("LC_ALL=C.UTF-8");  // Wine reads names of files by it
  return out;
}

int opened(const fs::path& file, int flags) {
  const int descriptor = open(file.c_str(), flags | O_CLOEXEC, 0600);
  if (descriptor < 0) throw std::system_error(errno, std::generic_category(), file.string());
  return descriptor;
}

/// The processes of a group that still run: a Windows program's are children of nobody here, so that the dead may
/// stay.
std::vector<pid_t> running_in_group(pid_t group) {
  std::vector<pid_t> running;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    // "pid (name) state parent group ..."; a name may hold anything.
    std::string text;  // none of a process that ends while it is read
    std::ifstream stat(entry.path() / "stat");
    std::getline(stat, text, '\0');
    const auto after_name = text.rfind(')');
    if (after_name == std::string::npos) continue;
    std::istringstream rest(text.substr(after_name + 1));
    char state = 0;
    pid_t parent = 0, its_group = 0;
    if (rest >> state >> parent >> its_group && its_group == group && state != 'Z' && state != 'X')
      running.push_back(std::stoi(name));
  }
  return running;
}

/// In the child: nothing but system calls.
[[noreturn]] void become(pid_t parent, char** command, char** environment, int in, int out, int err) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  dup2(in, 0);
  dup2(out, 1);
  dup2(err, 2);
  execve(command[0], command, environment);
  _exit(127);
}

}  // namespace

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(stream), {});
}

void write(const fs::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text;
  if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

Process::Process(const Start& start, fs::path base) : out_file_(base), err_file_(base) {
  out_file_ += ".out";
  err_file_ += ".err";
  auto words = start.command;
  for (const auto& word : words) name_ += (name_.empty() ? "" : " ") + word;
  auto variables = environment_with(start.environment);
  const auto command = pointers(words);
  const auto environment = pointers(variables);
  const int in = opened(start.input, O_RDONLY);
  const int out = opened(out_file_, O_WRONLY | O_CREAT | O_TRUNC);
  const int err = opened(err_file_, O_WRONLY | O_CREAT | O_TRUNC);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0)
    become(parent, const_cast<char**>(command.data()), const_cast<char**>(environment.data()), in, out, err);
  for (const int each : {in, out, err}) close(each);
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
  setpgid(pid_, pid_);
  watch_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (watch_ < 0) {
    const int error = errno;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    throw std::system_error(error, std::generic_category(), "pidfd_open");
  }
}

Process::~Process() {
  if (!status_ || left_any_) kill(-pid_, SIGKILL);
  wait();
  close(watch_);
}

bool Process::ended_within(std::chrono::milliseconds time) {
  if (status_) return true;
  pollfd one{watch_, POLLIN, 0};
  if (poll(&one, 1, static_cast<int>(time.count())) <= 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, 0) != pid_) return false;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  // Wine's launcher ends a moment before its program.
  const auto patience = Clock::now() + Seconds(2);
  while ((left_any_ = !running_in_group(pid_).empty()) && Clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

std::optional<int> Process::wait(Seconds bound) {
  ended_within(bound);
  return status_;
}

bool Process::until(const std::function<bool()>& condition, Seconds bound) {
  const auto end = Clock::now() + bound;
  while (!condition()) {
    // Its end is waited for meanwhile; then the condition has its last chance.
    if (ended_within(std::chrono::milliseconds(20))) return condition();
    if (Clock::now() > end) return false;
  }
  return true;
}

bool Process::says(const std::string& text, const fs::path& file, Seconds bound) {
  return until(
      [&] {
        if (!file.empty()) return text_of(file).find(text) != std::string::npos;
        return out().find(text) != std::string::npos || err().find(text) != std::string::npos;
      },
      bound);
}

void Process::send(int signal) const {
  if (status_) return;
  if (signal == SIGKILL) {
    kill(-pid_, signal);
    return;
  }
  auto members = running_in_group(pid_);
  if (members.size() > 1) std::erase(members, pid_);
  for (const pid_t each : members) kill(each, signal);
}

std::string Process::story() const {
  const auto end_of = [](const std::string& text) {
    return text.size() > 6000 ? "..." + text.substr(text.size() - 6000) : text;
  };
  return name_ + "\n-- status: " + (status_ ? std::to_string(*status_) : "it runs") + "\n-- its output:\n" +
         end_of(out()) + "\n-- its standard error:\n" + end_of(err());
}

}  // namespace tsplink::e2e
