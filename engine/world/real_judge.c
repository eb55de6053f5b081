/*
 * What a failed transfer means: was it surely not sent, maybe done, or refused by TLS. The texts are
 * for people; curl's own text is kept where it says more.
 */
#include "world/real_net.h"

#include <string.h>

/* OpenSSL's verification results (X509_V_ERR_*, part of its ABI), as CURLINFO_SSL_VERIFYRESULT gives them. */
static const struct {
    long result;
    const char *text;
} refusals[] = {
    {9, "its certificate is not valid yet"},
    {10, "its certificate has expired"},
    {18, "its certificate is self-signed and not trusted"},
    {19, "its certificate was issued by a self-signed authority that is not trusted"},
    {20, "its certificate was issued by an authority that is not trusted"},
    {21, "its certificate was issued by an authority that is not trusted"},
    {23, "its certificate is revoked"},
    {26, "its certificate is not meant for a server"},
    {62, "its certificate is for another host"},
    {64, "its certificate is for another address"},
};

static bool is_tls(CURLcode code)
{
    switch (code) {
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
        return true;
    default:
        return false;
    }
}

/* The handshake was cut off rather than refused. */
static bool is_cut(const char *text)
{
    return strstr(text, "SSL_ERROR_SYSCALL") || strstr(text, "reset by peer") || strstr(text, "unexpected eof");
}

static void judge_tls(const struct real_exchange *exchange, CURLcode code, const char *text, struct err *err)
{
    long result = 0;

    if (code == CURLE_SSL_CONNECT_ERROR && is_cut(text)) {
        err_set(err, ERR_NETWORK, "%s: the connection was cut during the TLS handshake", exchange->host);
        err->retryable = true;
        return;
    }
    if (code == CURLE_SSL_CERTPROBLEM) {
        err_set(err, ERR_AUTH, "%s: TLS: our client certificate or its key cannot be used: %s", exchange->host, text);
        return;
    }
    if (code == CURLE_SSL_CACERT_BADFILE) {
        err_set(err, ERR_USAGE, "%s: TLS: the trusted certificates cannot be read: %s", exchange->host, text);
        return;
    }
    exchange->real->net->curl->easy_getinfo(exchange->easy, CURLINFO_SSL_VERIFYRESULT, &result);
    for (size_t i = 0; result && i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i].result == result) {
            err_set(err, ERR_AUTH, "%s: TLS: %s", exchange->host, refusals[i].text);
            return;
        }
    }
    if (code == CURLE_PEER_FAILED_VERIFICATION && strstr(text, "subject name"))
        err_set(err, ERR_AUTH, "%s: TLS: its certificate is for another host (%s)", exchange->host, text);
    else
        err_set(err, ERR_AUTH, "%s: TLS: %s", exchange->host, text);
}

/* TLS 1.3 refuses a client's certificate only after the client believes the handshake to be over. */
static bool is_late_refusal(CURLcode code, const char *text)
{
    return (code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR) && strstr(text, "alert") &&
           (strstr(text, "certificate") || strstr(text, "unknown ca") || strstr(text, "access denied"));
}

static void judge_unsent(const struct real_exchange *exchange, CURLcode code, const char *text, struct err *err)
{
    enum err_kind kind = ERR_NETWORK;
    long number = 0;

    exchange->real->net->curl->easy_getinfo(exchange->easy, CURLINFO_OS_ERRNO, &number);
    if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        kind = ERR_USAGE;
    else if (code == CURLE_OPERATION_TIMEDOUT)
        text = "none in time";
    else if (code == CURLE_COULDNT_RESOLVE_HOST)
        text = "no address is known for this name";
    else if (code == CURLE_COULDNT_CONNECT && number > 0)
        text = strerror((int)number);
    err_set(err, kind, "%s: %s%s", exchange->host, kind == ERR_NETWORK ? "no connection: " : "", text);
    err->retryable = kind == ERR_NETWORK;
}

/* The kind of a break after the request may have left; *text becomes what people read. */
static enum err_kind kind_sent(const struct real_exchange *exchange, CURLcode code, const char **text)
{
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        *text = exchange->head_given ? "the answer did not end in time" : "no answer in time";
        return ERR_TIMEOUT;
    case CURLE_PARTIAL_FILE:
        *text = "the answer was cut off";
        return ERR_NETWORK;
    case CURLE_GOT_NOTHING:
        *text = "the connection was closed without an answer";
        return ERR_NETWORK;
    case CURLE_OK: /* an end without a head */
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
    case CURLE_BAD_CONTENT_ENCODING:
        return ERR_SERVER;
    default:
        return strstr(*text, "response headers") ? ERR_SERVER : ERR_NETWORK; /* curl's own limit on their size */
    }
}

static void judge_sent(const struct real_exchange *exchange, CURLcode code, const char *text, struct err *err)
{
    enum err_kind kind = kind_sent(exchange, code, &text);

    err_set(err, kind, "%s: %s%s", exchange->host, kind == ERR_SERVER ? "the answer is malformed: " : "", text);
    err->maybe_done = true;
    err->retryable = true;
}

void real_exchange_judge(const struct real_exchange *exchange, CURLcode code, struct err *err)
{
    const char *text = *exchange->text ? exchange->text : exchange->real->net->curl->easy_strerror(code);

    if (!exchange->sent && is_tls(code)) {
        judge_tls(exchange, code, text, err);
    } else if (!exchange->sent) {
        judge_unsent(exchange, code, text, err);
    } else if (is_late_refusal(code, text)) {
        err_set(err, ERR_AUTH, "%s: TLS: our client certificate was refused: %s", exchange->host, text);
    } else {
        judge_sent(exchange, code, text, err);
    }
}
