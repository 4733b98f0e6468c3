#include "tests/harness/tls_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <vector>

#include "tests/harness/program.h"

namespace sluice::tests {
namespace {

void OpenSsl(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "openssl");
  const ProgramResult result = RunProgram(arguments);
  if (result.status != 0) throw std::runtime_error("openssl " + arguments[1] + " failed:\n" + result.output);
}

std::string Errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line{};
    ERR_error_string_n(code, line.data(), line.size());
    text += std::string(line.data()) + "\n";
  }
  return text;
}

}  // namespace

TlsFiles::TlsFiles(std::string directory, std::string name)
    : directory_(std::move(directory)), authority_(std::move(name)) {
  OpenSsl({"req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout",
           Path(authority_ + "-ca.key"), "-out", authority(), "-days", "2", "-subj", "/CN=" + authority_});
}

void TlsFiles::Sign(const std::string& name, const std::string& password) const {
  std::vector<std::string> request = {
      "req",        "-newkey", "ec",   "-pkeyopt",          "ec_paramgen_curve:prime256v1",
      "-keyout",    key(name), "-out", Path(name + ".csr"), "-subj",
      "/CN=" + name};
  if (password.empty()) {
    request.emplace_back("-nodes");
  } else {
    request.insert(request.end(), {"-passout", "pass:" + password});
  }
  OpenSsl(request);
  OpenSsl({"x509", "-req", "-in", Path(name + ".csr"), "-CA", authority(), "-CAkey",
           Path(authority_ + "-ca.key"), "-CAcreateserial", "-out", certificate(name), "-days", "2"});
}

int ConnectTcp(uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(kPatience).count(),
                         .tv_usec = 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (fd < 0 || ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    if (fd >= 0) ::close(fd);
    throw std::runtime_error("nobody listens on port " + std::to_string(port));
  }
  return fd;
}

TlsClient::TlsClient(uint16_t port, const Options& options)
    : fd_(ConnectTcp(port)), context_(SSL_CTX_new(TLS_client_method())) {
  ERR_clear_error();
  if (!options.authority.empty()) {
    SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_CTX_load_verify_file(context_.get(), options.authority.c_str());
  }
  if (!options.certificate.empty()) {
    SSL_CTX_use_certificate_file(context_.get(), options.certificate.c_str(), SSL_FILETYPE_PEM);
    SSL_CTX_use_PrivateKey_file(context_.get(), options.key.c_str(), SSL_FILETYPE_PEM);
  }
  // Below level 1 OpenSSL speaks TLS 1.1 at all.
  if (options.max_version != 0 && options.max_version < TLS1_2_VERSION)
    SSL_CTX_set_security_level(context_.get(), 0);
  SSL_CTX_set_min_proto_version(context_.get(), options.min_version);
  SSL_CTX_set_max_proto_version(context_.get(), options.max_version);
  ssl_.reset(SSL_new(context_.get()));
  SSL_set_fd(ssl_.get(), fd_);
  connected_ = SSL_connect(ssl_.get()) == 1;
  if (!connected_) error_ = Errors();
}

TlsClient::~TlsClient() {
  if (fd_ >= 0) ::close(fd_);
}

std::string TlsClient::ServerName() const {
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(SSL_get1_peer_certificate(ssl_.get()),
                                                                &X509_free);
  if (!certificate) return "";
  std::array<char, 256> text{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, text.data(),
                            text.size());
  return text.data();
}

bool TlsClient::Send(std::string_view bytes) {
  ERR_clear_error();
  size_t sent = 0;
  while (sent < bytes.size()) {
    size_t count = 0;
    if (SSL_write_ex(ssl_.get(), bytes.data() + sent, std::min<size_t>(bytes.size() - sent, 1 << 16),
                     &count) != 1) {
      error_ = Errors();
      return false;
    }
    sent += count;
  }
  return true;
}

std::string TlsClient::Read(size_t count) {
  ERR_clear_error();
  std::string bytes;
  std::array<char, 16384> room;
  while (bytes.size() < count) {
    size_t got = 0;
    if (SSL_read_ex(ssl_.get(), room.data(), std::min(room.size(), count - bytes.size()), &got) != 1) {
      ended_well_ = SSL_get_error(ssl_.get(), 0) == SSL_ERROR_ZERO_RETURN;
      error_ = Errors();
      break;
    }
    bytes.append(room.data(), got);
  }
  return bytes;
}

void TlsClient::Abort() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(fd_);
  fd_ = -1;
}

}  // namespace sluice::tests
