#include "proxy-tsp/provider.hpp"

#include <algorithm>
#include <atomic>
#include <fstream>
#include <random>

#include "proxy-tsp/configuration.hpp"
#include "proxy-tsp/log.hpp"
#include "proxy-tsp/module.hpp"
#ifdef _WIN32
#include "proxy-tsp/registry.hpp"
#endif
#include "security/errors.hpp"
#include "security/file_watch.hpp"
#include "wire/link/client.hpp"
#include "wire/link/reactor.hpp"
#include "wire/schema.hpp"

namespace tsplink::proxy {

namespace {

/// A random number of this desktop, made once and kept in the state folder.
std::vector<std::uint8_t> machine_id(const std::filesystem::path& state) {
  const auto file = state / "machine-id";
  std::vector<std::uint8_t> id(16);
  std::ifstream stream(file, std::ios::binary);
  if (stream.read(reinterpret_cast<char*>(id.data()), static_cast<std::streamsize>(id.size()))) return id;
  std::random_device random;
  for (auto& byte : id) byte = static_cast<std::uint8_t>(random());
  std::error_code error;
  std::filesystem::create_directories(state, error);
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(id.data()), static_cast<std::streamsize>(id.size()));
  return id;
}

class Root final : public Provider, public link::ClientHandler, public std::enable_shared_from_this<Root> {
 public:
  Root() {
    try {
      configuration_ = load_configuration();
      log_ = make_log(configuration_.log_level, configuration_.log_file);
      log_(LogLevel::Info, "settings from " + configuration_.origin);
    } catch (const std::exception& failure) {
      problem_ = failure.what();
      log_ = make_log("info", {});
      log_(LogLevel::Error, problem_);
    }
    CoreOptions options;
    options.clock = &clock_;
    options.call_deadline = configuration_.call_deadline;
    options.state = configuration_.state;
    options.ui_module = configuration_.ui_module;
    options.dialog_modules = configuration_.dialog_modules;
    options.device_classes = configuration_.device_classes;
#ifdef _WIN32
    options.msp_registered = class_registered;
#endif
    options.life = {[this] { return connect(); }, [this] { end(); }, [this] { return shared_from_this(); }};
    core_ = std::make_unique<Core>(
        options,
        [this](wire::Buffer envelope) {
          auto* client = sender_.load();
          return client && client->send(std::move(envelope));
        },
        log_);
  }

  Core& core() override { return *core_; }

 private:
  LONG connect() {
    if (!problem_.empty()) return LINEERR_OPERATIONFAILED;
    if (client_) return 0;
    try {
      certificates_ = std::make_unique<security::FileWatch>(
          clock_, security::watched(configuration_.identity), [this](const auto& texts) { take_certificates(texts); },
          [this](const auto& sentence) { log_(LogLevel::Error, sentence); });
      const auto context = context_of(configuration_.identity);
      link::LocalInfo local;
      local.product = TSPLINK_VERSION;
      local.machine = configuration_.machine;
      local.machine_id = machine_id(configuration_.state);
      local.sheet = wire::sheet_hash();
      reactor_ = std::make_unique<link::Reactor>(clock_, [log = log_](link::Level level, const auto& text) {
        log(level == link::Level::Warning ? LogLevel::Warning : LogLevel::Info, text);
      });
      link::Limits limits;
      // An absent host is told before the first caller gives up.
      limits.connect = std::min<wire::Duration>(limits.connect, configuration_.call_deadline * 3 / 4);
      client_ = std::make_unique<link::Client>(*reactor_, link::Endpoint{configuration_.host, configuration_.port},
                                               context, local, limits, *this);
      sender_ = client_.get();
      reactor_->start();
      client_->start();
      certificates_->start();
      return 0;
    } catch (const std::exception& problem) {
      sender_ = nullptr;
      client_.reset();
      reactor_.reset();
      certificates_.reset();
      log_(LogLevel::Error, problem.what());
      return LINEERR_OPERATIONFAILED;
    }
  }

  void end();

  std::shared_ptr<const security::Context> context_of(const security::IdentityFiles& files) {
    auto context = security::Context::load(security::Side::Client, files);
    for (const auto& warning : context->warnings()) log_(LogLevel::Warning, warning);
    return context;
  }

  void take_certificates(const security::FileWatch::Texts& texts) {
    auto files = configuration_.identity;
    files.texts = texts;
    try {
      const auto context = context_of(files);
      client_->set_context(context);
      log_(LogLevel::Info,
           "the certificates are taken, for connections from now on: " + security::describe(context->own()));
    } catch (const security::Error& failure) {
      throw security::Error("The certificates cannot be used: " + std::string(failure.what()) + ".");
    }
  }

  void on_up(const link::PeerInfo& host) override {
    up_ = true;
    last_reason_.clear();
    log_(LogLevel::Info,
         "connected to " + host.address + " (" + host.certificate.subject + ", tsplink " + host.product + ")");
  }
  void on_message(wire::Buffer envelope) override { core_->on_message(envelope); }
  void on_down(const std::string& reason, bool refused) override {
    if (up_) {
      up_ = false;
      core_->on_down(reason);
    } else {
      // Each try fails alike: said once, and again only in detail.
      log_(reason == last_reason_ ? LogLevel::Debug
           : refused              ? LogLevel::Error
                                  : LogLevel::Warning,
           "no connection to " + configuration_.host + ":" + std::to_string(configuration_.port) + ": " + reason);
      last_reason_ = reason;
    }
  }

  const wire::Clock& clock_ = wire::Clock::steady();
  Configuration configuration_;
  std::string problem_;
  Log log_;
  std::unique_ptr<Core> core_;
  // All are set by connect() and kept as long as a function may be running here.
  std::unique_ptr<link::Reactor> reactor_;
  std::unique_ptr<link::Client> client_;
  std::unique_ptr<security::FileWatch> certificates_;
  std::atomic<link::Client*> sender_{nullptr};  // client_, for TAPI's threads
  bool up_ = false;                             // both: reactor's thread
  std::string last_reason_;
};

/// Never destroyed: who ends the process without a shutdown has ended our threads already, and waiting for them would
/// last for ever.
struct Roots {
  std::mutex turn;  // taken before the other one
  std::mutex mutex;
  std::shared_ptr<Root> root;
};

Roots& roots() {
  static Roots& only = *new Roots;
  return only;
}

/// providerShutdown: goodbye to the host, every thread ends. The next call makes a new root.
void Root::end() {
  if (certificates_) certificates_->stop();
  if (client_) client_->stop();
  if (reactor_) reactor_->stop();
  core_->shutdown();
  auto& [turn, mutex, root] = roots();
  std::lock_guard lock(mutex);
  if (root.get() == this) root.reset();  // the function that brought us here holds another reference
}

}  // namespace

std::unique_lock<std::mutex> Provider::turn() { return std::unique_lock(roots().turn); }

std::shared_ptr<Provider> Provider::root() {
  auto& [turn, mutex, root] = roots();
  std::lock_guard lock(mutex);
  if (!root) {
    keep_module_loaded();
    root = std::make_shared<Root>();
  }
  return root;
}

}  // namespace tsplink::proxy
