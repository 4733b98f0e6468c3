// Users as the configuration has them: `user` lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "server/commands/acl_users.h"
#include "server/config.h"

namespace sluice {

// What Users::Load() is given at the start, and where each line comes from, for its errors.
std::vector<commands::acl::UserLine> UserLinesOf(const Config& config);

// Config::users that mean `users`. The default user is left out where he is what `requirepass` alone makes
// him, so that editing the password in the file goes on to have its effect.
std::vector<std::vector<std::string>> UserWordsOf(const commands::acl::Users& users,
                                                  std::string_view requirepass);

}  // namespace sluice
