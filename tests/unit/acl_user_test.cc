#include "server/commands/acl_user.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "server/commands/acl_category.h"
#include "server/commands/acl_users.h"
#include "server/commands/command_table.h"

namespace sluice::commands::acl {
namespace {

using Rules = std::vector<std::string_view>;

User UserWith(const Rules& rules) {
  User user("u", false);
  const auto error = user.Apply(rules);
  EXPECT_FALSE(error) << error->rule << ": " << error->why;
  return user;
}

std::string WhyNot(const Rules& rules) {
  User user("u", false);
  const auto error = user.Apply(rules);
  return error ? std::string(error->why) : "";
}

TEST(AclUser, ChannelsByPatternAndPatternsByThemselves) {
  const User user = UserWith({"&news:*", "&exact", "(&more:?)"});
  EXPECT_TRUE(user.MayUseChannel("news:today", false));
  EXPECT_TRUE(user.MayUseChannel("exact", false));
  EXPECT_TRUE(user.MayUseChannel("more:1", false));
  EXPECT_FALSE(user.MayUseChannel("more:12", false));
  EXPECT_FALSE(user.MayUseChannel("new", false));
  EXPECT_TRUE(user.MayUseChannel("news:*", true));
  EXPECT_FALSE(user.MayUseChannel("news:t*", true)) << "a narrower pattern is another one";
  EXPECT_FALSE(UserWith({}).MayUseChannel("x", false));
  EXPECT_TRUE(UserWith({"allchannels"}).MayUseChannel("x*", true));
  EXPECT_TRUE(User("u", true).MayUseChannel("x", false));
}

TEST(AclUser, KeysByWhatIsDoneWithThem) {
  const User user = UserWith({"%R~in:*", "%W~out:*", "~both:*", "(%W~in:1)"});
  EXPECT_TRUE(user.MayUseKey("in:1", kRO | kAccess));
  EXPECT_TRUE(user.MayUseKey("in:1", kOW | kUpdate));
  EXPECT_FALSE(user.MayUseKey("in:1", kRW | kAccess | kUpdate)) << "of two selectors no one allows both";
  EXPECT_FALSE(user.MayUseKey("in:2", kOW | kInsert));
  EXPECT_TRUE(user.MayUseKey("out:1", kRM | kDelete));
  EXPECT_FALSE(user.MayUseKey("out:1", kRO | kAccess));
  EXPECT_TRUE(user.MayUseKey("out:1", kRO))
      << "whether it is there, everybody may know who may use it at all";
  EXPECT_FALSE(user.MayUseKey("else", kRO));
  EXPECT_TRUE(user.MayUseKey("both:1", kRW | kAccess | kUpdate));
}

TEST(AclUser, OnlyWhoMayDoEverythingIsUnrestricted) {
  EXPECT_TRUE(UserWith({"+@all", "~*", "&*"}).unrestricted());
  EXPECT_TRUE(UserWith({"(+@all ~* &*)"}).unrestricted());
  for (const char* less :
       {"-debug", "-config|set", "-@dangerous", "resetkeys", "resetchannels", "nocommands"}) {
    EXPECT_FALSE(UserWith({"+@all", "~*", "&*", less}).unrestricted()) << less;
  }
  EXPECT_FALSE(UserWith({"+@all", "(~* &*)"}).unrestricted());
  EXPECT_FALSE(UserWith({"+@all", "%R~*", "&*"}).unrestricted());
}

TEST(AclUser, TheLineMakesTheSameUserAgain) {
  const Rules kAll[] = {
      {"on", ">p", "~a*", "%R~b*", "%W~c*", "&ch*", "+get", "+@read", "-mget", "+config|get", "+select|0"},
      {"nopass", "allkeys", "allchannels", "+@all", "-@admin", "-config", "+config|get", "(+get", "~x)",
       "()"},
      {"+@all", "-@all", "+@write", "-@dangerous", "+flushall", "skip-sanitize-payload"},
      {"(%RW~* +@all)", "(resetchannels &* %W~q)", "+get|a", "+get|b", "+hello|3"},
      {"+@read", "-get", "+@read", "+get|a", "-get", "+get|a", "+@connection"},
  };
  for (const Rules& rules : kAll) {
    const User user = UserWith(rules);
    Users users;
    EXPECT_EQ(users.Load(SplitUserLines(user.ToText() + "\n", "f"), ""), std::nullopt);
    ASSERT_TRUE(users.Find("u"));
    EXPECT_EQ(users.Find("u")->ToText(), user.ToText());
    for (const Command& command : CommandTable()) {
      const Rules args = {command.name, "a"};
      EXPECT_EQ(users.Find("u")->Check(command, args).denied, user.Check(command, args).denied)
          << command.name;
    }
  }
}

// Each of these could end a selector where the file is read again.
TEST(AclUser, NoWordOfASelectorEndsIt) {
  EXPECT_EQ(WhyNot({"(~a)", ")"}), "Syntax error");
  EXPECT_EQ(WhyNot({"(~a) +@all)"}), "Syntax error");
  EXPECT_EQ(WhyNot({"(&a) +get)"}), "Syntax error");
  EXPECT_EQ(WhyNot({"((+get))"}), "Syntax error");
  EXPECT_EQ(WhyNot({"("}), kUnmatchedParenthesis);
  EXPECT_EQ(WhyNot({"(", "(", "("}), kUnmatchedParenthesis);
  EXPECT_EQ(WhyNot({"(+get|a)"}), "");
  EXPECT_EQ(WhyNot({"+get|a)"}), "Syntax error");
  const User user = UserWith({"~a)", "&(b", "~(c"});
  Users users;
  EXPECT_EQ(users.Load(SplitUserLines(user.ToText(), "f"), ""), std::nullopt);
  EXPECT_EQ(users.Find("u")->ToText(), user.ToText());
}

// Nor may a word be two where it is read again.
TEST(AclUser, NoWordHoldsWhatEndsOne) {
  for (const char blank : {' ', '\t', '\n', '\v', '\f', '\r', '\0'}) {
    const std::string word = std::string("a") + blank + "b";
    for (const char* rule : {"~", "%R~", "&", "+get|"}) {
      EXPECT_EQ(WhyNot({rule + word}), "Syntax error") << rule << static_cast<int>(blank);
    }
    EXPECT_FALSE(User::IsName(word)) << static_cast<int>(blank);
  }
}

TEST(AclUser, EverythingIsBounded) {
  std::vector<std::string> many;
  for (int i = 0; i < 1100; ++i) many.push_back("~k" + std::to_string(i));
  EXPECT_EQ(WhyNot(Rules(many.begin(), many.end())), "Too many patterns");
  for (std::string& rule : many) rule[0] = '&';
  EXPECT_EQ(WhyNot(Rules(many.begin(), many.end())), "Too many patterns");
  for (std::string& rule : many) rule[0] = '>';
  EXPECT_EQ(WhyNot(Rules(many.begin(), many.end())), "Too many passwords");
  for (std::string& rule : many) rule = "+get|" + rule.substr(1);
  EXPECT_EQ(WhyNot(Rules(many.begin(), many.end())), "Too many command rules");
  EXPECT_EQ(WhyNot(Rules(200, "()")), "Too many selectors");
  const std::string huge(1 << 20, 'x');
  EXPECT_EQ(WhyNot({"~" + huge}), "Syntax error");
  EXPECT_EQ(WhyNot({"+get|" + huge}), "Syntax error");
  EXPECT_EQ(WhyNot({"+" + huge}), "Unknown command or category name in ACL");
  EXPECT_EQ(WhyNot({"+@" + huge}), "Unknown command or category name in ACL");
  EXPECT_FALSE(User::IsName(huge));
  EXPECT_FALSE(User::IsName(""));
}

TEST(AclUsers, AFileIsTakenAsAWholeOrNotAtAll) {
  Users users;
  const std::string before = users.ToText();
  const auto error = users.Load(
      SplitUserLines("user a on >p\nUSER b\nuser c +nosuch\nuser a\n\nuser\nuser d (+get\nuser e #secret\n",
                     "f"),
      "");
  ASSERT_TRUE(error);
  EXPECT_EQ(
      *error,
      "f:2: should start with user keyword followed by the username. f:3: Error in applying operation "
      "'+nosuch': Unknown command or category name in ACL. f:4: Duplicate user 'a' found. f:6: should start "
      "with user keyword followed by the username. f:7: Error in applying operation '(+get': Unmatched "
      "parenthesis in selector definition. f:8: Error in applying operation (not shown): The password hash "
      "must be exactly 64 characters and contain only lowercase hexadecimal characters. Nothing was changed");
  EXPECT_EQ(users.ToText(), before);
}

TEST(AclUsers, WhoStaysIsTheSameUser) {
  Users users;
  ASSERT_EQ(users.Load(SplitUserLines("user a on >p ~x\nuser b on >p\n", "f"), ""), std::nullopt);
  Session a(1);
  users.Greet(a);
  a.user = users.Authenticate("a", "p");
  ASSERT_TRUE(a.user);
  Session b(2);
  b.user = users.Authenticate("b", "p");
  ASSERT_EQ(users.Load(SplitUserLines("user a on >q ~y\n", "f"), "secret"), std::nullopt);
  EXPECT_FALSE(users.Departed(a));
  EXPECT_TRUE(a.user->MayUseKey("y", kRO));
  EXPECT_TRUE(users.Departed(b));
  EXPECT_EQ(b.user->name(), "b") << "until the session lets go";
  EXPECT_FALSE(users.Authenticate("a", "p"));
  EXPECT_TRUE(users.Authenticate("a", "q"));
  EXPECT_FALSE(users.Authenticate("b", "p"));
  // A file without the default user does not open the door that requirepass closed.
  EXPECT_FALSE(users.open());
  EXPECT_TRUE(users.Authenticate("default", "secret"));
}

TEST(AclUsers, PasswordsAndWhoIsOff) {
  Users users;
  EXPECT_TRUE(users.open());
  EXPECT_TRUE(users.Authenticate("default", "anything"));
  EXPECT_FALSE(users.Authenticate("nobody", "anything"));
  ASSERT_FALSE(users.Set("a", Rules{">p", ">q"}));
  EXPECT_FALSE(users.Authenticate("a", "p")) << "off";
  ASSERT_FALSE(users.Set("a", Rules{"on"}));
  EXPECT_TRUE(users.Authenticate("a", "p"));
  EXPECT_TRUE(users.Authenticate("a", "q"));
  EXPECT_FALSE(users.Authenticate("a", ""));
  EXPECT_FALSE(users.Authenticate("a", "pq"));
  users.SetDefaultPassword("secret");
  EXPECT_FALSE(users.open());
  EXPECT_FALSE(users.Authenticate("default", "anything"));
  EXPECT_EQ(users.ToText().find("secret"), std::string::npos);
}

TEST(AclCategory, EveryCommandIsFastOrSlowAndEachCategoryIsKnownByName) {
  for (const Command& command : CommandTable()) {
    const CategoryMask mask = CategoriesOf(command);
    EXPECT_NE((mask & Bit(Category::kFast)) != 0, (mask & Bit(Category::kSlow)) != 0) << command.name;
  }
  for (size_t i = 0; i < CategoryNames().size(); ++i) {
    EXPECT_EQ(FindCategory(CategoryNames()[i]), static_cast<Category>(i));
  }
  EXPECT_FALSE(FindCategory(""));
  EXPECT_FALSE(FindCategory("all"));
}

TEST(AclLog, ItIsBoundedAndCountsWhatIsAlike) {
  Log log;
  log.set_max_entries(3);
  for (int i = 0; i < 5; ++i) {
    log.Add({.reason = "key", .context = "toplevel", .object = "k" + std::to_string(i), .user = "u"}, 1000);
  }
  ASSERT_EQ(log.entries().size(), 3u);
  EXPECT_EQ(log.entries()[0].object, "k4");
  log.Add({.reason = "key", .context = "toplevel", .object = "k2", .user = "u"}, 60'000);
  EXPECT_EQ(log.entries()[0].object, "k2");
  EXPECT_EQ(log.entries()[0].count, 2u);
  EXPECT_EQ(log.entries()[0].created_ms, 1000u);
  EXPECT_EQ(log.entries()[0].updated_ms, 60'000u);
  log.Add({.reason = "key", .context = "toplevel", .object = "k2", .user = "u"}, 62'000);
  EXPECT_EQ(log.entries()[0].count, 1u) << "more than a minute after the first: another one";
  log.Add({.reason = "key", .context = "toplevel", .object = std::string(1 << 20, 'x'), .user = "u"}, 62'000);
  EXPECT_LE(log.entries()[0].object.size(), 256u);
  log.set_max_entries(0);
  EXPECT_TRUE(log.entries().empty());
  log.Add({.reason = "key", .context = "multi", .object = "k", .user = "u"}, 62'000);
  EXPECT_TRUE(log.entries().empty());
}

}  // namespace
}  // namespace sluice::commands::acl
