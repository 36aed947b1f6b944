// What we use of socket.io-client, which vendor.py brings; for the type checker alone.
export function io(address: string, options: object): any;
