// Reading a TOML file so that each mistake is named with its line and column. Owner: a reader, while it reads.
#pragma once

#include <toml++/toml.h>

#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wire/failure.hpp"

namespace tsplink::host {

/// The whole file. Throws Failure(Configuration): it is no TOML, or there is none; then the sentence says what it
/// would be and what to do.
toml::table read_toml(const std::filesystem::path& file, const std::string& what, const std::string& advice);
/// Its two halves. `file` is the name in sentences.
std::string read_text(const std::filesystem::path& file, const std::string& what, const std::string& advice);
toml::table parse_toml(const std::string& text, const std::filesystem::path& file);

/// One table of the file: takes what is known and then names what is left over.
class Section {
 public:
  Section(const std::filesystem::path& file, std::string name, const toml::table* table)
      : file_(file), name_(std::move(name)), table_(table) {}

  [[noreturn]] void refuse(const toml::node* at, const std::string& sentence) const {
    std::string where = file_.string();
    if (at) {
      const auto begin = at->source().begin;
      where += ":" + std::to_string(begin.line) + ":" + std::to_string(begin.column);
    }
    throw Failure(Kind::Configuration, where + ": " + sentence);
  }

  const toml::node* take(const std::string& key) {
    known_.insert(key);
    return table_ ? table_->get(key) : nullptr;
  }
  std::string text(const std::string& key, std::string fallback) {
    const auto* node = take(key);
    if (!node) return fallback;
    const auto value = node->value_exact<std::string>();
    if (!value) refuse(node, called(key) + " must be text in quotes.");
    return *value;
  }
  std::uint32_t number(const std::string& key, std::uint32_t fallback, std::uint32_t least, std::uint32_t most) {
    const auto* node = take(key);
    if (!node) return fallback;
    const auto value = node->value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      refuse(node,
             called(key) + " must be a number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
    }
    return static_cast<std::uint32_t>(*value);
  }
  bool flag(const std::string& key, bool fallback) {
    const auto* node = take(key);
    if (!node) return fallback;
    const auto value = node->value_exact<bool>();
    if (!value) refuse(node, called(key) + " must be true or false.");
    return *value;
  }
  /// The place of the text among `choices`; `fallback` where the key is not there.
  template <std::size_t N>
  std::size_t choice(const std::string& key, const std::array<std::string_view, N>& choices, std::size_t fallback) {
    const auto* node = take(key);
    if (!node) return fallback;
    const auto value = text(key, "");
    std::string all;
    for (std::size_t i = 0; i < N; ++i) {
      if (value == choices[i]) return i;
      all += (i == 0 ? "" : i + 1 == N ? " or " : ", ") + std::string(choices[i]);
    }
    refuse(node, called(key) + " must be " + all + ".");
  }
  /// Each text of a list, or a single one, with the place where it is. Empty: the key is not there.
  std::vector<std::pair<std::string, const toml::node*>> texts(const std::string& key) {
    std::vector<std::pair<std::string, const toml::node*>> found;
    for_each(key, [&](const toml::node& each) {
      const auto value = each.value_exact<std::string>();
      if (!value || value->empty()) refuse(&each, called(key) + " must be text in quotes, or a list of such.");
      found.emplace_back(*value, &each);
    });
    return found;
  }
  std::vector<std::uint32_t> numbers(const std::string& key) {
    std::vector<std::uint32_t> found;
    for_each(key, [&](const toml::node& each) {
      const auto value = each.value_exact<std::int64_t>();
      if (!value || *value < 0 || *value > 0xFFFFFFFFLL) {
        refuse(&each, called(key) + " must be a number from 0 to 4294967295, or a list of such.");
      }
      found.push_back(static_cast<std::uint32_t>(*value));
    });
    return found;
  }
  const toml::table* table(const std::string& key) {
    const auto* node = take(key);
    if (node && !node->is_table()) refuse(node, called(key) + " must be a table, [" + key + "].");
    return node ? node->as_table() : nullptr;
  }
  void no_others() const {
    if (!table_) return;
    for (const auto& [key, node] : *table_) {
      const std::string name(key.str());
      if (!known_.count(name))
        refuse(&node, called(name) + " is no setting of tsplink-host; remove it or correct its name.");
    }
  }
  /// A misspelt key is named as such, not by what is then missing.
  void only(std::initializer_list<const char*> keys) {
    for (const char* key : keys) take(key);
    no_others();
  }
  std::string called(const std::string& key) const { return name_.empty() ? key : name_ + "." + key; }

 private:
  /// The elements of a list, or what stands there in place of one.
  template <class F>
  void for_each(const std::string& key, F&& visit) {
    const auto* node = take(key);
    if (!node) return;
    const auto* list = node->as_array();
    if (!list) return visit(*node);
    if (list->empty()) refuse(node, called(key) + " is an empty list, which matches nothing; remove it or fill it.");
    for (const auto& each : *list) visit(each);
  }

  const std::filesystem::path& file_;
  std::string name_;
  const toml::table* table_;
  std::set<std::string> known_;
};

}  // namespace tsplink::host
