#!/bin/sh
# What git asks for when the checkout left it no credentials: answered for GitHub's own server alone, with the token that
# the action was given.  The token is in the environment, and neither in an argument nor in a file.
host=${GITHUB_SERVER_URL#*://}
case $1 in
"Username for '$GITHUB_SERVER_URL'"*) echo x-access-token ;;
"Password for '${GITHUB_SERVER_URL%%://*}://x-access-token@$host'"*) printf '%s\n' "$GITHUB_TOKEN" ;;
*) exit 1 ;;
esac
