#!/usr/bin/env bash
# Hands a mail to sendmail, or to another program that takes one on its stdin.
set -euo pipefail

mailer=$1 from=$2 to=$3 subject=$4 send_empty_body=$5 content_type=$6 body=$7 attachments=${8:-}

# A header is one line, whatever the caller gave.
one_line() {
    printf '%s' "$1" | tr '\r\n' '  '
}

if [[ -z ${body//[[:space:]]/} && $send_empty_body != 1 ]]; then
    echo "Nothing to send"
    exit 0
fi

if [[ -z $mailer || $mailer == None ]]; then
    if ! mailer=$(PATH="$PATH:/usr/sbin:/usr/lib" command -v sendmail); then
        echo "there is no sendmail on this machine: install one, or give its path as sendmail_binary" >&2
        exit 2
    fi
    mail=("$mailer" -t)
else
    mail=("$mailer")
fi

if [[ $from != *@* ]]; then
    from="$from@$(hostname -f 2>/dev/null || hostname)"
fi

write_body() {
    printf 'Content-Type: %s; charset=UTF-8\nContent-Transfer-Encoding: base64\n\n' "$(one_line "$content_type")"
    printf '%s\n' "$body" | base64
}

write_attachment() {
    local name type
    name=$(one_line "$(basename -- "$1")")
    type=$(file --brief --mime-type -- "$1" 2>/dev/null || echo application/octet-stream)
    printf 'Content-Type: %s\nContent-Transfer-Encoding: base64\n' "$type"
    printf 'Content-Disposition: attachment; filename="%s"\n\n' "${name//\"/}"
    base64 -- "$1"
}

write_mail() {
    local boundary path paths
    printf 'To: %s\nFrom: %s\n' "$(one_line "$to")" "$(one_line "$from")"
    printf 'Subject: =?UTF-8?B?%s?=\nMIME-Version: 1.0\n' "$(printf '%s' "$subject" | base64 | tr -d '\n')"
    if [[ -z $attachments ]]; then
        write_body
        return
    fi
    boundary="part-$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')"
    printf 'Content-Type: multipart/mixed; boundary="%s"\n\n' "$boundary"
    printf -- '--%s\n' "$boundary"
    write_body
    IFS=, read -ra paths <<<"$attachments"
    for path in "${paths[@]}"; do
        if [[ ! -f $path ]]; then
            echo "there is no file $path to attach: the mail goes without it" >&2
            continue
        fi
        printf -- '--%s\n' "$boundary"
        write_attachment "$path"
    done
    printf -- '--%s--\n' "$boundary"
}

if write_mail | "${mail[@]}"; then
    echo "Successfully sent mail to $to"
else
    echo "Failed to send mail to $to"
    exit 2
fi
