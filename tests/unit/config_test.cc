#include "server/config.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace sluice {
namespace {

using Texts = std::vector<std::string>;

// The error of one line of a file "x.conf", or "" where it is taken.
std::string ErrorOf(std::string_view line, Config* config = nullptr) {
  Config defaults = DefaultConfig();
  return ParseConfigText(line, "x.conf", config != nullptr ? *config : defaults).value_or("");
}

std::string ErrorOfArguments(const Texts& arguments, Config& config, CommandLine& command_line) {
  return ParseCommandLine(arguments, command_line, config).value_or("");
}

std::string Get(const Config& config, std::string_view name) {
  return FindOption(name)->kind.get(config);
}

std::string SetError(const std::vector<std::string_view>& pairs, Config& config) {
  return SetOptions(pairs, config).value_or("");
}

std::string ShippedFile() {
  return SLUICE_SOURCE_DIR "/conf/sluice.conf";
}

class ConfigFile : public testing::Test {
 protected:
  ~ConfigFile() override { std::filesystem::remove(path_); }
  // A file with `text` that goes with the test.
  std::string Write(const std::string& text) {
    std::ofstream(path_) << text;
    return path_;
  }

 private:
  std::string path_ = testing::TempDir() + "config_test." + std::to_string(getpid()) + ".conf";
};

TEST(Config, DefaultsAreWhatTheTableSays) {
  const Config config = DefaultConfig();
  EXPECT_EQ(config.port, 6379u);
  EXPECT_EQ(config.bind, (Texts{"127.0.0.1", "-::1"}));
  EXPECT_EQ(config.unixsocketperm, 0700u);
  EXPECT_EQ(config.appendfsync, AppendFsync::kAlways);
  EXPECT_EQ(config.segment_bytes, 33554432u);
  EXPECT_EQ(config.proto_max_bulk_len, 67108864u);
  EXPECT_EQ(config.output_limits[0].hard_bytes, 268435456u);
  EXPECT_TRUE(config.protected_mode);
  EXPECT_EQ(config.enable_debug_command, DebugCommands::kNo);
  EXPECT_EQ(config.requirepass, "");
}

TEST(Config, TheTableIsSound) {
  std::set<std::string_view> names;
  for (const Option& option : Options()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_FALSE(option.reason.empty()) << option.name;
    EXPECT_EQ(option.reason.find('\n'), std::string_view::npos) << option.name;
    Config config = DefaultConfig();
    EXPECT_EQ(ErrorOf(std::string(option.name) + " " + std::string(option.default_text), &config), "");
    // What CONFIG GET answers is a value that CONFIG SET and a file would take.
    EXPECT_EQ(ErrorOf(std::string(option.name) + " \"" + option.kind.get(config) + "\"", &config), "");
  }
}

TEST(Config, ShippedFileNamesEveryOptionWithItsDefaultInOrder) {
  std::ifstream file(ShippedFile());
  ASSERT_TRUE(file);
  Texts lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') lines.push_back(line);
  }
  Texts rows;
  for (const Option& option : Options()) {
    rows.push_back(std::string(option.name) + " " + std::string(option.default_text));
  }
  EXPECT_EQ(lines, rows);
  Config config = DefaultConfig();
  EXPECT_EQ(ReadConfigFile(ShippedFile(), config), std::nullopt);
}

TEST(Config, ShippedFileMarksWhatConfigSetChanges) {
  std::ifstream file(ShippedFile());
  std::string comment;
  bool previous_changes = false;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) {
      comment.clear();
    } else if (line[0] == '#') {
      comment += line;
    } else {
      const Option* option = FindOption(line.substr(0, line.find(' ')));
      ASSERT_NE(option, nullptr) << line;
      const bool changes = comment.find("(CONFIG SET)") != std::string::npos;
      EXPECT_EQ(changes, option->change == Change::kAnyTime) << line;
      previous_changes = changes;
    }
  }
  EXPECT_TRUE(previous_changes);
}

TEST(Config, EachUserLineAddsAUser) {
  Config config = DefaultConfig();
  EXPECT_EQ(ErrorOf("user a on \">p q\" ~*", &config), "");
  EXPECT_EQ(ErrorOf("user b", &config), "");
  EXPECT_EQ(ErrorOf("user 'c off +get'", &config), "");
  EXPECT_EQ(config.users, (std::vector<Texts>{{"a", "on", ">p q", "~*"}, {"b"}, {"c", "off", "+get"}}));
  EXPECT_EQ(ErrorOf("user b >secret", &config),
            "x.conf:1: user (not shown) (not shown): a user can be defined only once");
  EXPECT_EQ(SetError({"user", "d on"}, config),
            "CONFIG SET failed (possibly related to argument 'user') - can't set immutable config");
  EXPECT_EQ(ErrorOf("user \"\"", &config), "");
  EXPECT_TRUE(config.users.empty());
  EXPECT_EQ(ErrorOf("user", &config), "x.conf:1: user: wrong number of arguments");
}

TEST(Config, WordsAreSplitAsRedisDoes) {
  EXPECT_EQ(SplitWords("  port   7000\t"), (Texts{"port", "7000"}));
  EXPECT_EQ(SplitWords(R"(a "b c" 'd "e' "")"), (Texts{"a", "b c", "d \"e", ""}));
  EXPECT_EQ(SplitWords(R"("\x41\n\r\t\a\b\\\"\q")"), (Texts{"A\n\r\t\a\b\\\"q"}));
  EXPECT_EQ(SplitWords(R"('it\'s \n')"), (Texts{"it's \\n"}));
  EXPECT_EQ(SplitWords(R"("\xZZ")"), (Texts{"xZZ"}));
  EXPECT_EQ(SplitWords(""), Texts{});
  EXPECT_EQ(SplitWords("a \"b"), std::nullopt);
  EXPECT_EQ(SplitWords("a 'b"), std::nullopt);
  EXPECT_EQ(SplitWords("a \"b\"c"), std::nullopt);
  EXPECT_EQ(SplitWords("a \"b\\"), std::nullopt);
}

TEST(Config, FilesHaveCommentsAndBlankLines) {
  Config config = DefaultConfig();
  EXPECT_EQ(ParseConfigText("# a comment\n\n  # another\r\n  PORT 7000\r\nrequirepass 'a # b'", "x", config),
            std::nullopt);
  EXPECT_EQ(config.port, 7000u);
  EXPECT_EQ(config.requirepass, "a # b");
}

TEST(Config, ALineOfAnyBlanksIsBlank) {
  Config config = DefaultConfig();
  EXPECT_EQ(ParseConfigText("\f\n \v\t\r\nport 7000\n", "x.conf", config), std::nullopt);
  EXPECT_EQ(config.port, 7000u);
}

TEST(Config, ErrorsNameFileLineAndOption) {
  Config config = DefaultConfig();
  EXPECT_EQ(ParseConfigText("port 1\n\nprot 2\n", "/etc/sluice.conf", config),
            "/etc/sluice.conf:3: unknown option 'prot'");
  EXPECT_EQ(ErrorOf("port abc"), "x.conf:1: port 'abc': argument couldn't be parsed into an integer");
  EXPECT_EQ(ErrorOf("port -1"), "x.conf:1: port '-1': argument must be between 0 and 65535 inclusive");
  EXPECT_EQ(ErrorOf("port 65536"), "x.conf:1: port '65536': argument must be between 0 and 65535 inclusive");
  EXPECT_EQ(ErrorOf("port 99999999999999999999"),
            "x.conf:1: port '99999999999999999999': argument couldn't be parsed into an integer");
  EXPECT_EQ(ErrorOf("port"), "x.conf:1: port: wrong number of arguments");
  EXPECT_EQ(ErrorOf("port 1 2"), "x.conf:1: port '1' '2': wrong number of arguments");
  EXPECT_EQ(ErrorOf("port ''"), "x.conf:1: port '': argument couldn't be parsed into an integer");
  EXPECT_EQ(ErrorOf("bind"), "x.conf:1: bind: wrong number of arguments");
  EXPECT_EQ(ErrorOf("dir \"a"), "x.conf:1: unbalanced quotes");
  EXPECT_EQ(ErrorOf("databases 17"), "x.conf:1: databases '17': argument must be between 1 and 16 inclusive");
  EXPECT_EQ(ErrorOf("protected-mode maybe"),
            "x.conf:1: protected-mode 'maybe': argument must be 'yes' or 'no'");
  EXPECT_EQ(
      ErrorOf("appendfsync sometimes"),
      "x.conf:1: appendfsync 'sometimes': argument(s) must be one of the following: always, everysec, no");
  EXPECT_EQ(ErrorOf("segment-bytes 5zb"), "x.conf:1: segment-bytes '5zb': argument must be a memory value");
  EXPECT_EQ(ErrorOf("segment-bytes 65537"),
            "x.conf:1: segment-bytes '65537': argument must be a multiple of 4096");
  EXPECT_EQ(ErrorOf("segment-bytes 1"),
            "x.conf:1: segment-bytes '1': argument must be between 65536 and 1073741824 inclusive");
  EXPECT_EQ(ErrorOf("unixsocketperm 788"),
            "x.conf:1: unixsocketperm '788': argument couldn't be parsed into an octal number");
  EXPECT_EQ(ErrorOf("save 900 1"), "x.conf:1: save '900' '1': wrong number of arguments");
  EXPECT_EQ(ErrorOf("appendonly no"),
            "x.conf:1: appendonly 'no': the only value that Sluice has for it is 'yes'");
  EXPECT_EQ(ErrorOf("unixsocket " + std::string(108, 'x')),
            "x.conf:1: unixsocket '" + std::string(108, 'x') + "': argument must have at most 107 bytes");
  EXPECT_EQ(ErrorOf(R"(dir "a\x00b")").substr(0, 14), "x.conf:1: dir ");
}

TEST(Config, PasswordsAreNotEchoed) {
  EXPECT_EQ(ErrorOf("requirepass open sesame"),
            "x.conf:1: requirepass (not shown) (not shown): wrong number of arguments");
}

TEST(Config, SizesAreRedis) {
  Config config = DefaultConfig();
  const auto limit = [&config](const std::string& size) {
    EXPECT_EQ(ErrorOf("max-uncommitted-bytes " + size, &config), "") << size;
    return config.max_uncommitted_bytes;
  };
  EXPECT_EQ(limit("2000000"), 2000000u);
  EXPECT_EQ(limit("2000000b"), 2000000u);
  EXPECT_EQ(limit("2000k"), 2000000u);
  EXPECT_EQ(limit("2000KB"), 2048000u);
  EXPECT_EQ(limit("3m"), 3000000u);
  EXPECT_EQ(limit("3Mb"), 3145728u);
  EXPECT_EQ(limit("1g"), 1000000000u);
  EXPECT_EQ(limit("1gb"), 1073741824u);
  EXPECT_NE(ErrorOf("max-uncommitted-bytes 99999999999gb"), "");
  EXPECT_NE(ErrorOf("max-uncommitted-bytes mb"), "");
}

TEST(Config, OptionsOfSeveralWords) {
  Config config = DefaultConfig();
  EXPECT_EQ(ErrorOf("bind 10.0.0.1 -::1 *", &config), "");
  EXPECT_EQ(config.bind, (Texts{"10.0.0.1", "-::1", "*"}));
  EXPECT_EQ(ErrorOf("client-output-buffer-limit normal 10mb 1mb 60", &config), "");
  constexpr std::string_view kOthers = " slave 268435456 67108864 60 pubsub 33554432 8388608 60";
  EXPECT_EQ(Get(config, "client-output-buffer-limit"), "normal 10485760 1048576 60" + std::string(kOthers));
  EXPECT_EQ(ErrorOf("client-output-buffer-limit normal 10mb", &config),
            "x.conf:1: client-output-buffer-limit 'normal' '10mb': "
            "Wrong number of arguments in buffer limit configuration.");
  EXPECT_EQ(ErrorOf("client-output-buffer-limit pubsub 1 1 1 nosuch 1 1 1", &config),
            "x.conf:1: client-output-buffer-limit 'pubsub' '1' '1' '1' 'nosuch' '1' '1' '1': "
            "Invalid client class specified in buffer limit configuration.");
  EXPECT_EQ(ErrorOf("client-output-buffer-limit normal 1 1 x", &config),
            "x.conf:1: client-output-buffer-limit 'normal' '1' '1' 'x': "
            "Error in hard, soft or soft_seconds setting in buffer limit configuration.");
  EXPECT_EQ(Get(config, "client-output-buffer-limit"), "normal 10485760 1048576 60" + std::string(kOthers));
  EXPECT_EQ(ErrorOf("client-output-buffer-limit pubsub 3 2 1 replica 0 0 0", &config), "");
  EXPECT_EQ(Get(config, "client-output-buffer-limit"), "normal 10485760 1048576 60 slave 0 0 0 pubsub 3 2 1");
  // Letters of classes, and a number that may be below zero.
  EXPECT_EQ(ErrorOf("notify-keyspace-events KEx", &config), "");
  EXPECT_EQ(Get(config, "notify-keyspace-events"), "xKE");
  EXPECT_NE(ErrorOf("notify-keyspace-events KEy", &config), "");
  EXPECT_EQ(ErrorOf("slowlog-log-slower-than -1", &config), "");
  EXPECT_EQ(Get(config, "slowlog-log-slower-than"), "-1");
  EXPECT_NE(ErrorOf("slowlog-log-slower-than -2", &config), "");
  EXPECT_NE(ErrorOf("slowlog-log-slower-than 1x", &config), "");
  EXPECT_NE(ErrorOf("slowlog-log-slower-than 99999999999999999999", &config), "");
}

TEST_F(ConfigFile, TheCommandLineOverrulesTheFile) {
  Config config = DefaultConfig();
  CommandLine command_line;
  const std::string path = Write("port 7000\ntimeout 5\n");
  EXPECT_EQ(ErrorOfArguments({path, "--port", "7001", "--bind", "127.0.0.1", "-::1", "--logfile", "",
                              "--client-output-buffer-limit", "normal 1mb 0 0"},
                             config, command_line),
            "");
  EXPECT_EQ(command_line.config_file, path);
  EXPECT_EQ(config.port, 7001u);
  EXPECT_EQ(config.timeout, 5u);
  EXPECT_EQ(config.bind, (Texts{"127.0.0.1", "-::1"}));
  EXPECT_EQ(config.output_limits[0].hard_bytes, 1048576u);
}

TEST_F(ConfigFile, CommandLineErrors) {
  Config config = DefaultConfig();
  CommandLine command_line;
  EXPECT_EQ(ErrorOfArguments({"--prot", "7000"}, config, command_line),
            "unknown option '--prot' (--help lists them)");
  EXPECT_EQ(ErrorOfArguments({"--port", "x"}, config, command_line),
            "--port 'x': argument couldn't be parsed into an integer");
  EXPECT_EQ(ErrorOfArguments({"--port", "--timeout", "1"}, config, command_line),
            "--port: wrong number of arguments");
  EXPECT_EQ(ErrorOfArguments({"/no/such/file"}, config, command_line), "/no/such/file: cannot be read");
  const std::string path = Write("port 7000\nnonsense\n");
  EXPECT_EQ(ErrorOfArguments({path, "--port", "1"}, config, command_line),
            path + ":2: unknown option 'nonsense'");
}

// Ten files that include all ten: 10^16 readings, if nobody counted.
TEST_F(ConfigFile, FilesThatAllIncludeEachOther) {
  const std::string folder = Write("") + ".d";
  std::filesystem::create_directory(folder);
  for (int i = 0; i < 10; ++i)
    std::ofstream(folder + "/" + std::to_string(i)) << "include " << folder << "/*\n";
  Config config = DefaultConfig();
  const auto errors = ReadConfigFile(folder + "/0", config);
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(errors);
  EXPECT_NE(errors->find("files include each other too deep"), std::string::npos) << *errors;
}

TEST_F(ConfigFile, AnEmptyFileIsFine) {
  Config config = DefaultConfig();
  EXPECT_EQ(ReadConfigFile(Write(""), config), std::nullopt);
  EXPECT_NE(ReadConfigFile(testing::TempDir(), config), std::nullopt);
}

TEST(Config, VersionAndHelp) {
  Config config = DefaultConfig();
  CommandLine command_line;
  EXPECT_EQ(ErrorOfArguments({"--version"}, config, command_line), "");
  EXPECT_EQ(command_line.wish, CommandLine::Wish::kVersion);
  EXPECT_EQ(ErrorOfArguments({"--help"}, config, command_line), "");
  EXPECT_EQ(command_line.wish, CommandLine::Wish::kHelp);
  for (const Option& option : Options()) {
    EXPECT_NE(HelpText().find("--" + std::string(option.name) + " " + std::string(option.default_text)),
              std::string::npos);
  }
}

TEST(Config, SetIsAllOrNothing) {
  Config config = DefaultConfig();
  EXPECT_EQ(SetError({"timeout", "7", "maxclients", "77"}, config), "");
  EXPECT_EQ(config.timeout, 7u);
  EXPECT_EQ(config.maxclients, 77u);

  EXPECT_EQ(SetError({"timeout", "8", "maxclients", "0"}, config),
            "CONFIG SET failed (possibly related to argument 'maxclients') - "
            "argument must be between 1 and 1000000 inclusive");
  EXPECT_EQ(SetError({"timeout", "8", "port", "1"}, config),
            "CONFIG SET failed (possibly related to argument 'port') - can't set immutable config");
  EXPECT_EQ(SetError({"timeout", "8", "TIMEOUT", "9"}, config),
            "CONFIG SET failed (possibly related to argument 'timeout') - duplicate parameter");
  EXPECT_EQ(SetError({"timeout", "8", "nonsense", "9"}, config),
            "Unknown option or number of arguments for CONFIG SET - 'nonsense'");
  EXPECT_EQ(SetError({"maxclients", "8", "timeout"}, config),
            "Unknown option or number of arguments for CONFIG SET - 'timeout'");
  EXPECT_EQ(config.timeout, 7u);
  EXPECT_EQ(config.maxclients, 77u);
}

TEST(Config, WhatClientsAskFor) {
  Config config = DefaultConfig();
  EXPECT_EQ(Get(config, "save"), "");
  EXPECT_EQ(Get(config, "appendonly"), "yes");
  EXPECT_EQ(SetError({"save", "", "appendonly", "yes"}, config), "");
  EXPECT_EQ(SetError({"save", "900 1"}, config),
            "CONFIG SET failed (possibly related to argument 'save') - the only value that Sluice has for it "
            "is ''");
}

}  // namespace
}  // namespace sluice
