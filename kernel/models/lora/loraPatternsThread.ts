import { serveRequests } from '../../common/threads/boundedThread';
import { matchAll } from './loraPatterns';

serveRequests(matchAll);
