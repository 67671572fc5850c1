<?php
// PHP's curl: curl.php CLIENT SCHEME BASE USER PASSWORD STEP..., as clients.py has them.
[, , $scheme, $base, $user, $password] = $argv;
$schemes = [
    'ntlm' => CURLAUTH_NTLM,
    'kerberos' => CURLAUTH_NEGOTIATE,
    'scheme-kerberos' => CURLAUTH_NEGOTIATE,
    'negotiate-ntlm' => CURLAUTH_NEGOTIATE,
    'everything' => CURLAUTH_ANY,
];
$curl = curl_init();
foreach (array_slice($argv, 6) as $step) {
    $words = explode(' ', $step);
    curl_reset($curl);
    curl_setopt_array($curl, [
        CURLOPT_URL => $base . $words[1],
        CURLOPT_CUSTOMREQUEST => null,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_FOLLOWLOCATION => true,
        CURLOPT_HTTPAUTH => $schemes[$scheme] ?? CURLAUTH_DIGEST,
        CURLOPT_USERPWD => $user . ':' . $password,
        CURLOPT_TIMEOUT => 15,
    ]);
    if (isset($words[2])) {
        curl_setopt($curl, CURLOPT_POSTFIELDS, file_get_contents($words[2]));
        curl_setopt($curl, CURLOPT_HTTPHEADER, ['Content-Type: application/octet-stream']);
    }
    $body = curl_exec($curl);
    echo curl_getinfo($curl, CURLINFO_RESPONSE_CODE), ' ', $body, curl_error($curl), "\n";
}
