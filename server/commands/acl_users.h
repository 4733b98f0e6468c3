// Everybody who may come.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "server/commands/acl_log.h"
#include "server/commands/acl_user.h"
#include "server/commands/session.h"

namespace sluice::commands::acl {

inline constexpr std::string_view kDefaultUser = "default";

// A user as a file has him.
struct UserLine {
  std::string where;               // "users.acl:3", for an error
  std::vector<std::string> words;  // user <name> [rule ...]
};

// The lines of an ACL file that is called `origin`.
std::vector<UserLine> SplitUserLines(std::string_view text, std::string_view origin);

// The users of one server. A session holds its user by shared_ptr: changes act on it at once, and a deleted
// user lives on until his last session lets go; who deletes closes those sessions (Departed).
//
// Volatile: users are not in the log. They come from the configuration or the ACL file at the start.
class Users {
 public:
  // One user, `default`: on, without password, allowed everything. Who connects is he, until AUTH.
  Users();

  // nullptr: there is none of that name.
  std::shared_ptr<const User> Find(std::string_view name) const;
  const std::shared_ptr<User>& default_user() const { return default_; }
  // By name.
  const std::map<std::string, std::shared_ptr<User>, std::less<>>& all() const { return users_; }

  // Whether strangers are served.
  bool open() const { return default_->enabled() && default_->nopass(); }
  // `session` is new, or as new.
  void Greet(Session& session) const;
  // The user whose password this is; nullptr: there is none, he is off, or it is not. Takes as long for a
  // wrong name as for a wrong password.
  std::shared_ptr<const User> Authenticate(std::string_view name, std::string_view password) const;

  // SETUSER: creates where there is none. All of the rules, or none. `name` must be a name (User::IsName).
  [[nodiscard]] std::optional<RuleError> Set(std::string_view name, std::span<const std::string_view> rules);
  // False where there is none; not for `default`.
  bool Delete(std::string_view name);
  // requirepass: the default user's only password; empty: he needs none.
  void SetDefaultPassword(std::string_view password) { default_->SetPassword(password); }

  // What an ACL file or the configuration's user lines say becomes all there is. Where they do not name the
  // default user, he is allowed everything, with the password `requirepass`. All of it or, with an error
  // text, nothing.
  [[nodiscard]] std::optional<std::string> Load(std::span<const UserLine> lines,
                                                std::string_view requirepass);
  // The ACL file: a line a user, by name.
  std::string ToText() const;

  // Whether `session`'s user is no longer one of these.
  bool Departed(const Session& session) const;

  // acl-pubsub-default: whether new users begin with every channel.
  void set_all_channels(bool all) { all_channels_ = all; }

  Log& log() { return log_; }

 private:
  using Map = std::map<std::string, std::shared_ptr<User>, std::less<>>;

  std::optional<std::string> LoadLine(std::span<const std::string> words, Map& users) const;

  Map users_;
  std::shared_ptr<User> default_;
  bool all_channels_ = false;
  Log log_;
};

}  // namespace sluice::commands::acl
