#include "server/config_users.h"

#include <sstream>

namespace sluice {

std::vector<commands::acl::UserLine> UserLinesOf(const Config& config) {
  std::vector<commands::acl::UserLine> lines;
  for (const std::vector<std::string>& user : config.users) {
    lines.push_back({"user " + user[0], {"user"}});
    lines.back().words.insert(lines.back().words.end(), user.begin(), user.end());
  }
  return lines;
}

std::vector<std::vector<std::string>> UserWordsOf(const commands::acl::Users& users,
                                                  std::string_view requirepass) {
  commands::acl::Users fresh;
  fresh.SetDefaultPassword(requirepass);
  const std::string plain_default = fresh.default_user()->ToText();
  std::vector<std::vector<std::string>> lines;
  for (const auto& [name, user] : users.all()) {
    const std::string text = user->ToText();
    if (text == plain_default) continue;
    // No rule holds a blank but a selector in parentheses, which may be spread over words.
    std::istringstream words(text);
    std::string word;
    words >> word;  // user
    std::vector<std::string>& line = lines.emplace_back();
    while (words >> word) line.push_back(word);
  }
  return lines;
}

}  // namespace sluice
