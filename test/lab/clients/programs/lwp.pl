# LWP: lwp.pl CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them.
use strict;
use warnings;
use HTTP::Request;
use LWP::UserAgent;

my ($client, $scheme, $base, $user, $password, @steps) = @ARGV;
if ($client eq 'lwp-ntlmv2') {
    require Authen::NTLM;
    Authen::NTLM::ntlmv2(1);
}
my ($authority) = $base =~ m{^http://([^/]+)};
my $agent = LWP::UserAgent->new(keep_alive => 1, timeout => 15);
# The realm of Digest, and that of NTLM, which has none.
$agent->credentials($authority, $_, $user, $password) for ('LAB', '');
$| = 1;
for my $step (@steps) {
    my ($method, $path, $file) = split / /, $step;
    my $request = HTTP::Request->new($method => $base . $path);
    if (defined $file) {
        open my $handle, '<:raw', $file or die "$file: $!";
        local $/;
        $request->content(scalar <$handle>);
        $request->header('Content-Type' => 'application/octet-stream');
    }
    my $answer = $agent->request($request);
    print $answer->code, ' ', $answer->decoded_content // '', ' ', $answer->header('Client-Warning') // '', "\n";
}
